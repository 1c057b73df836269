/** The size of one request's data: as asked for, as far as `fs.fuse.max_pages_limit` goes. */
import { assert, describe, it } from "@effect/vitest"
import { memory } from "@bickford/backends"
import type { Backend } from "@bickford/session"
import * as Effect from "effect/Effect"
import * as Exit from "effect/Exit"
import { spawn } from "node:child_process"
import { accessSync, constants, readFileSync, writeFileSync } from "node:fs"
import { dirname, join } from "node:path"
import {
  bickfordCommand,
  type Daemon,
  mountConfig,
  mountpoints,
  startDaemon,
  until,
  workFolder
} from "../daemon/daemon.ts"
import { commandsOn, serve } from "./inProcess.ts"
import { oneFile } from "./oneFile.ts"
import { ended } from "./processes.ts"

const sysctl = "/proc/sys/fs/fuse/max_pages_limit"
const pageSize = 4096
const maxWrite = 4 << 20

const canRaise = (() => {
  try {
    accessSync(sysctl, constants.W_OK)
    return true
  } catch {
    return false
  }
})()

/** The kernel's limit, in pages, for the life of the scope. Only mounts that ask for more than 1 MiB notice. */
const raisedTo = (pages: number) =>
  Effect.acquireRelease(
    Effect.sync(() => {
      const before = readFileSync(sysctl, "latin1")
      writeFileSync(sysctl, String(pages))
      return before
    }),
    (before) => Effect.sync(() => writeFileSync(sysctl, before))
  )

/** A file whose WRITEs and READs are noted by their sizes. */
const noting = () => {
  const written: Array<number> = []
  const read: Array<number> = []
  const file = oneFile()
  const backend: Backend = {
    ...file,
    read: ({ size }) => {
      read.push(size)
      return Exit.succeed(Buffer.alloc(size, "r"))
    },
    write: ({ data }) => {
      written.push(data.length)
      return Exit.succeed(data.length)
    }
  }
  return { backend, read, written }
}

const dd = (from: string, to: string) =>
  ["dd", [`if=${from}`, `of=${to}`, "bs=8M", "count=1", "conv=notrunc", "status=none"]] as const

describe("a mount that asks for requests of 4 MiB", () => {
  it.live("gets what the kernel allows as it stands, and knows it", () =>
    Effect.gen(function* () {
      const { backend, written } = noting()
      const allowed = Math.min(maxWrite, Number(readFileSync(sysctl, "latin1")) * pageSize)
      const { mounted, mountpoint, run } = yield* serve(backend, { session: { maxWrite } })
      assert.strictEqual((yield* mounted.session.negotiated).maxWrite, allowed)
      yield* run(...dd("/dev/zero", `${mountpoint}/file`))
      assert.strictEqual(Math.max(...written), allowed)
    })
  )

  it.live.skipIf(!canRaise)("gets them where the limit is raised, to write and to read", () =>
    Effect.gen(function* () {
      yield* raisedTo(maxWrite / pageSize)
      const { backend, read, written } = noting()
      const { mounted, mountpoint, run } = yield* serve(backend, { session: { maxWrite } })
      const { maxPages, maxWrite: agreed } = yield* mounted.session.negotiated
      assert.deepStrictEqual([agreed, maxPages], [maxWrite, maxWrite / pageSize])
      yield* run(...dd("/dev/zero", `${mountpoint}/file`))
      assert.deepStrictEqual(written, [maxWrite, maxWrite])
      yield* run(...dd(`${mountpoint}/file`, "/dev/null"))
      assert.deepStrictEqual(read, [maxWrite, maxWrite])
    })
  )

  it.live.skipIf(!canRaise)("keeps what is written so, in a backend that takes large writes over", () =>
    Effect.gen(function* () {
      yield* raisedTo(maxWrite / pageSize)
      const { mountpoint, run } = yield* serve(memory(), { session: { maxWrite } })
      const program = `
import hashlib, os, sys
data = os.urandom(20_000_003)
with open(sys.argv[1], "wb", buffering=0) as file:
    at = 0
    while at < len(data): at += file.write(data[at:at + 9_000_000])
with open(sys.argv[1], "rb") as file: print(file.read() == data)
`
      assert.strictEqual(yield* run("python3", ["-c", program, `${mountpoint}/file`]), "True\n")
    })
  )
})

/** What `bickford log` prints of a daemon's mount. */
const wireLogOf = (daemon: Daemon) =>
  Effect.gen(function* () {
    const [program = "", ...args] = bickfordCommand
    const log = yield* Effect.acquireRelease(
      Effect.sync(() =>
        spawn(program, [...args, "log", "data", "--runtime-directory", dirname(daemon.socket)], {
          stdio: ["ignore", "pipe", "inherit"]
        })
      ),
      (log) =>
        Effect.promise(async () => {
          if (log.exitCode === null && log.kill()) await ended(log)
        })
    )
    let said = ""
    log.stdout.setEncoding("utf8").on("data", (text: string) => (said += text))
    return () => said
  })

// Here, and not beside the daemon's other tests: files run beside each other, and the limit is the machine's.
describe("a daemon's mount with -o max_write=4194304", () => {
  it.live.skipIf(!canRaise)(
    "gets requests of 4 MiB, also from the worker that takes it over when the limit is lowered again",
    () =>
      Effect.gen(function* () {
        const before = readFileSync(sysctl, "latin1")
        yield* raisedTo(maxWrite / pageSize)
        const folder = yield* workFolder
        const [mountpoint = ""] = yield* mountpoints(1)
        const daemon = yield* startDaemon(folder, [
          mountConfig("data", `sqlite:${join(folder, "store")}`, mountpoint, { options: [`max_write=${maxWrite}`] })
        ])
        const { pid: first } = yield* Effect.promise(() => daemon.reaches("data", "running"))
        const log = yield* wireLogOf(daemon)
        const { run } = commandsOn(mountpoint)
        const writeAndCompare = (name: string) =>
          run("sh", [
            "-ec",
            'head -c 8388608 /dev/urandom > "$1"; dd if="$1" of="$2" bs=8M count=1 status=none; cmp "$1" "$2"',
            "sh",
            join(folder, name),
            join(mountpoint, name)
          ])
        yield* Effect.promise(() =>
          until(async () => {
            await Effect.runPromise(writeAndCompare("one"))
            return /"WRITE".*4194304/.test(log()) ? true : undefined
          }, "a WRITE of 4 MiB in the log")
        )
        writeFileSync(sysctl, before)
        if (first === undefined) return assert.fail("no worker")
        process.kill(first, "SIGKILL")
        yield* writeAndCompare("two")
        assert.notStrictEqual((yield* Effect.promise(() => daemon.reaches("data", "running"))).pid, first)
      })
  )
})
