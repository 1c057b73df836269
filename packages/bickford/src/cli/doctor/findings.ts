/** What on this machine would stop a mount, each with its remedy. */
import { readRegularFile } from "@bickford/daemon"
import { printable } from "@bickford/protocol"
import { isFuse, mountTable, probe } from "@bickford/transport"
import * as Effect from "effect/Effect"
import { accessSync, constants, statSync } from "node:fs"
import { release } from "node:os"
import { delimiter, join } from "node:path"

export interface Finding {
  readonly what: string
  /** `fault` stops mounts; `note` is worth knowing. */
  readonly kind: "fine" | "note" | "fault"
  readonly found: string
  readonly remedy?: string
}

const fine = (what: string, found: string): Finding => ({ what, kind: "fine", found })
const note = (what: string, found: string, remedy: string): Finding => ({ what, kind: "note", found, remedy })
const fault = (what: string, found: string, remedy: string): Finding => ({ what, kind: "fault", found, remedy })

/** A path as a shell takes it, and as it may be printed. */
const shellQuoted = (path: string): string => {
  const shown = printable(path)
  if (/^[\w./@:+-]+$/.test(path)) return path
  // Bash's $'...' knows these escapes.
  return shown === path ? `'${path.replaceAll("'", "'\\''")}'` : `$'${shown.replaceAll("'", "\\'")}'`
}

const isRoot = (): boolean => process.geteuid?.() === 0

const codeOf = (error: unknown): string =>
  error instanceof Error && "code" in error ? String(error.code) : String(error)

const attempted = (act: () => void): string | undefined => {
  try {
    act()
    return undefined
  } catch (error) {
    return codeOf(error)
  }
}

const device = (path: string): Finding => {
  const error = attempted(() => accessSync(path, constants.R_OK | constants.W_OK))
  if (error === undefined) return fine(path, "can be opened")
  return error === "ENOENT"
    ? fault(
        path,
        "is not there",
        "load the module: modprobe fuse; in a container, pass the device in: --device /dev/fuse"
      )
    : fault(path, `cannot be opened (${error})`, `let users in: chmod 666 ${path}`)
}

const helper = (path: string): Finding => {
  const found = path
    .split(delimiter)
    .map((folder) => join(folder, "fusermount3"))
    .find((file) => attempted(() => accessSync(file, constants.X_OK)) === undefined)
  if (found === undefined) {
    const remedy = "install it: apt-get install fuse3"
    return isRoot()
      ? note("fusermount3", "is not on the PATH; root mounts without it", remedy)
      : fault("fusermount3", "is not on the PATH", remedy)
  }
  const { mode, uid } = statSync(found)
  if (uid === 0 && (mode & 0o4000) !== 0) return fine("fusermount3", `${found}, set-user-ID root`)
  const remedy = `chown root ${shellQuoted(found)} && chmod 4755 ${shellQuoted(found)}`
  return isRoot()
    ? note("fusermount3", `${found} is not set-user-ID root: other users cannot mount`, remedy)
    : fault("fusermount3", `${found} is not set-user-ID root`, remedy)
}

const allowOther = (file: string): Finding => {
  let content = ""
  const error = attempted(() => {
    content = readRegularFile(file)
  })
  if (error === undefined && /^\s*user_allow_other\s*$/m.test(content))
    return fine("allow_other", `${file} lets users ask for it`)
  return note(
    "allow_other",
    `${file} lets root alone ask for it`,
    `add a line user_allow_other to ${file}, if users are to share their mounts`
  )
}

/** What came when: the version of Linux from which it is there. */
const features = [
  { version: [5, 4], what: "FUSE as it is spoken here", without: "mounts fail" },
  {
    version: [6, 9],
    what: "resending of requests (FUSE 7.40)",
    without: "a mount whose worker is killed is aborted and mounted again"
  },
  { version: [6, 9], what: "passthrough (FUSE 7.40)", without: "data of passthrough: goes through this program" }
] as const

const kernel = (version: string): ReadonlyArray<Finding> => {
  const [major = 0, minor = 0] = version.split(/[.-]/).map(Number)
  const has = ([wantedMajor, wantedMinor]: readonly [number, number]): boolean =>
    major > wantedMajor || (major === wantedMajor && minor >= wantedMinor)
  return features.map(({ version: since, what, without }, index) => {
    const name = `Linux ${version}`
    if (has(since)) return fine(name, what)
    const found = `no ${what}, which Linux ${since.join(".")} has: ${without}`
    return index === 0 ? fault(name, found, "use a later kernel") : note(name, found, "use a later kernel")
  })
}

/** Root's switch of FUSE over io_uring; absent before Linux 6.14. */
const rings = (parameter: string): Finding => {
  let value = ""
  const error = attempted(() => {
    value = readRegularFile(parameter).trim()
  })
  if (error !== undefined)
    return note(
      "io_uring",
      "this kernel has no FUSE over io_uring: -o max_threads reads /dev/fuse",
      "use Linux 6.14 or later"
    )
  if (value === "Y") return fine("io_uring", "the kernel offers it to mounts with -o max_threads")
  return note(
    "io_uring",
    "is off: -o max_threads reads /dev/fuse",
    `echo Y > ${parameter}, or fuse.enable_uring=1 on the kernel's command line, if mounts are to use it`
  )
}

const node = (version: string): Finding => {
  const [major = 0, minor = 0] = version.split(".").map(Number)
  return major > 22 || (major === 22 && minor >= 19)
    ? fine("Node.js", version)
    : fault("Node.js", `${version}, 22.19 is needed`, "install a later one: npm install node")
}

/** FUSE mounts that do not answer, each asked by a process of its own; a dead connection may still be in fusectl(5). */
const stale: Effect.Effect<ReadonlyArray<Finding>> = Effect.suspend(() =>
  Effect.forEach(
    mountTable().filter(isFuse),
    (mount) =>
      Effect.map(probe(mount), (health): ReadonlyArray<Finding> => {
        const { mountpoint } = mount
        const remedy = `umount -l ${shellQuoted(mountpoint)}`
        if (health === "dead") return [fault(mountpoint, "is mounted, and its server is gone", remedy)]
        return health === "silent"
          ? [note(mountpoint, "is mounted, and its server does not answer", `end its server, or ${remedy}`)]
          : []
      }),
    { concurrency: 16 }
  )
).pipe(Effect.map((found) => found.flat()))

export interface Places {
  readonly device: string
  readonly path: string
  readonly fuseConf: string
  readonly kernel: string
  readonly uring: string
  readonly node: string
}

export const here = (): Places => ({
  device: "/dev/fuse",
  path: process.env["PATH"] ?? "",
  fuseConf: "/etc/fuse.conf",
  kernel: release(),
  uring: "/sys/module/fuse/parameters/enable_uring",
  node: process.versions.node
})

/** What is to be said of the machine itself. */
export const examine = (places: Places): ReadonlyArray<Finding> => [
  device(places.device),
  helper(places.path),
  allowOther(places.fuseConf),
  ...kernel(places.kernel),
  rings(places.uring),
  node(places.node)
]

/** All of it, and of the mounts that are there. */
export const examineAll = (places: Places): Effect.Effect<ReadonlyArray<Finding>> =>
  Effect.map(stale, (mounts) => [...examine(places), ...mounts])
