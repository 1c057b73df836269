/** The size of one request's data: as asked for, as far as `fs.fuse.max_pages_limit` goes. */
import { assert, describe, it } from "@effect/vitest"
import { memory } from "@bickford/backends"
import type { Backend } from "@bickford/session"
import * as Effect from "effect/Effect"
import * as Exit from "effect/Exit"
import { accessSync, constants, readFileSync, writeFileSync } from "node:fs"
import { serve } from "./inProcess.ts"
import { oneFile } from "./oneFile.ts"

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

const dd = (from: string, to: string) => ["dd", [`if=${from}`, `of=${to}`, "bs=8M", "count=1", "conv=notrunc", "status=none"]] as const

describe("a mount that asks for requests of 4 MiB", { timeout: 120_000 }, () => {
  it.live("gets what the kernel allows as it stands, and knows it", () =>
    Effect.gen(function*() {
      const { backend, written } = noting()
      const allowed = Math.min(maxWrite, Number(readFileSync(sysctl, "latin1")) * pageSize)
      const { mounted, mountpoint, run } = yield* serve(backend, { session: { maxWrite } })
      assert.strictEqual((yield* mounted.session.negotiated).maxWrite, allowed)
      yield* run(...dd("/dev/zero", `${mountpoint}/file`))
      assert.strictEqual(Math.max(...written), allowed)
    }))

  it.live.skipIf(!canRaise)("gets them where the limit is raised, to write and to read", () =>
    Effect.gen(function*() {
      yield* raisedTo(maxWrite / pageSize)
      const { backend, read, written } = noting()
      const { mounted, mountpoint, run } = yield* serve(backend, { session: { maxWrite } })
      const { maxPages, maxWrite: agreed } = yield* mounted.session.negotiated
      assert.deepStrictEqual([agreed, maxPages], [maxWrite, maxWrite / pageSize])
      yield* run(...dd("/dev/zero", `${mountpoint}/file`))
      assert.deepStrictEqual(written, [maxWrite, maxWrite])
      yield* run(...dd(`${mountpoint}/file`, "/dev/null"))
      assert.deepStrictEqual(read, [maxWrite, maxWrite])
    }))

  it.live.skipIf(!canRaise)("keeps what is written so, in a backend that takes large writes over", () =>
    Effect.gen(function*() {
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
    }))
})
