/**
 * Under the shim: mounts with each set of options by fsopen(2) and by mount(2), and with each of the new calls failing.
 * Prints, as JSON, what became of it. The argument is a block device that nobody uses.
 */
import { findMount, mountDevice, type MountDeviceOptions, type ServeMounting } from "@bickford/transport"
import * as Effect from "effect/Effect"
import { mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from "node:fs"
import { constants, tmpdir } from "node:os"
import { join } from "node:path"
import { arm, met } from "./faults.ts"

const { EACCES, EINVAL, EIO, ENOSYS, ENOTTY, EPERM } = constants.errno
const folder = mkdtempSync(join(tmpdir(), "bickford-mounting-"))
const directory = join(folder, "directory")
const file = join(folder, "file")
mkdirSync(directory)
writeFileSync(file, "")

/** One mounting, and its end. */
interface Mounting {
  /** The line of /proc/self/mountinfo but for the numbers in it; or the error's message. */
  readonly mounted: string
  /** How often the armed call went wrong. */
  readonly met: number
  /** Descriptors that were open more than before: while it was mounted, and after. */
  readonly open: number
  readonly leaked: number
}

/** Of the mounts at the place, what does not differ from one to the next. */
const lines = (mountpoint: string): string =>
  readFileSync("/proc/self/mountinfo", "latin1")
    .split("\n")
    .filter((line) => line.split(" ")[4] === mountpoint)
    .map((line) =>
      line
        .split(" ")
        .slice(3)
        .map((word) => word.replace(/^(shared|master):\d+$/, "$1"))
        .join(" ")
    )
    .join("\n")

const descriptors = (): number => readdirSync("/proc/self/fd").length

const mounting = async (
  options: Omit<MountDeviceOptions, "mountpoint">,
  mountpoint: string,
  serve?: ServeMounting<never, never>
): Promise<Mounting> => {
  const before = descriptors()
  const [mounted, open] = await Effect.runPromise(
    Effect.scoped(
      Effect.gen(function* () {
        yield* mountDevice({ mountpoint, ...options }, serve)
        const entry = findMount(mountpoint)
        return [entry === undefined ? "nothing is mounted" : lines(mountpoint), descriptors() - before] as const
      })
    ).pipe(Effect.catch((error) => Effect.succeed([error.message, 0] as const)))
  )
  return { mounted, met: met(), open, leaked: descriptors() - before }
}

/** mount(2) is not to be had, or fsopen(2) is not. */
const withContextOnly = (): void => arm({ call: "mount", how: "fail", error: EIO, times: -1 })
const withMountOnly = (): void => arm({ call: "fsopen", how: "fail", error: ENOSYS, times: -1 })

const device = process.argv[2] ?? ""
const sets: Readonly<Record<string, Omit<MountDeviceOptions, "mountpoint">>> = {
  plain: {},
  readOnly: { readOnly: true },
  noexec: { noexec: true },
  suid: { suid: true },
  dev: { dev: true },
  sync: { sync: true },
  dirsync: { dirsync: true },
  nosymfollow: { nosymfollow: true },
  noatime: { noatime: true },
  nodiratime: { nodiratime: true },
  strictatime: { strictatime: true },
  "noatime and nodiratime": { noatime: true, nodiratime: true },
  "noatime and strictatime": { noatime: true, strictatime: true },
  allowOther: { allowOther: true },
  defaultPermissions: { defaultPermissions: true },
  maxRead: { maxRead: 65_536 },
  fsname: { fsname: "a,b\\c d\te=f,allow_other" },
  subtype: { subtype: "kind" },
  "subtype with dots": { subtype: "kind.of,it" },
  blkdev: { blkdev: true, fsname: device, subtype: "kind" },
  blksize: { blkdev: true, fsname: device, blksize: 1024 },
  everything: {
    readOnly: true,
    noexec: true,
    sync: true,
    dirsync: true,
    nosymfollow: true,
    noatime: true,
    allowOther: true,
    defaultPermissions: true,
    maxRead: 8192,
    fsname: "all",
    subtype: "all"
  }
}

const both: Record<string, { readonly byContext: Mounting; readonly byData: Mounting }> = {}
for (const [name, options] of [...Object.entries(sets), ["a file", { subtype: "kind" }] as const]) {
  const mountpoint = name === "a file" ? file : directory
  withContextOnly()
  const byContext = await mounting(options, mountpoint)
  withMountOnly()
  both[name] = { byContext, byData: await mounting(options, mountpoint) }
}

const failing: Record<string, Mounting> = {}
for (const error of [ENOSYS, EPERM, EINVAL, EACCES]) {
  for (const call of ["fsopen", "fsconfig", "fsmount", "move_mount"]) {
    // subtype, source, fd, rootmode, user_id, group_id, and the last one: FSCONFIG_CMD_CREATE.
    for (let after = 0; after < (call === "fsconfig" ? 7 : 1); after++) {
      arm({ call, how: "fail", error, times: -1, after })
      failing[`${call} ${after} ${error}`] = await mounting({ subtype: "kind" }, directory)
    }
  }
}

arm({ call: "", how: "fail", times: 0 })
const refused = {
  maxRead: await mounting({ maxRead: 2 ** 40 }, directory),
  context: await mounting({ securityContexts: { context: "a:b:c:s0,c1" } }, directory),
  source: await mounting({ blkdev: true, fsname: join(folder, "missing") }, directory)
}

/** Where INIT cannot be synchronous nobody is asked to serve it while it is mounted. */
let servings = 0
const serve = () => Effect.sync(() => (servings++, Effect.never))
arm({ call: "ioctl", how: "fail", error: ENOTTY, times: -1 })
const asynchronous = await mounting({ subtype: "kind" }, directory, serve)
arm({ call: "mount", how: "fail", error: EPERM, times: 1 })
const withoutMount = await mounting({ subtype: "kind" }, directory, serve)
arm({ call: "", how: "fail", times: 0 })
const long = await mounting({ fsname: "n".repeat(300) }, directory)
rmSync(folder, { recursive: true })

/** What this program prints. */
export interface Report {
  readonly both: typeof both
  readonly failing: typeof failing
  readonly refused: typeof refused
  readonly long: Mounting
  readonly asynchronous: Mounting
  readonly withoutMount: Mounting
  /** How often a connection was to be served while it was mounted. */
  readonly servings: number
}
const report: Report = { both, failing, refused, long, asynchronous, withoutMount, servings }
process.stdout.write(JSON.stringify(report))
