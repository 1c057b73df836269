/** FOPEN_*: what a reply to OPEN or OPENDIR changes for the program that opened (include/uapi/linux/fuse.h). */
import { assert, describe, it } from "@effect/vitest"
import { openReplyFlags } from "@bickford/protocol"
import * as Deferred from "effect/Deferred"
import * as Effect from "effect/Effect"
import { serve } from "../inProcess.ts"
import { everyOperation } from "./backend.ts"
import { client } from "./rows.ts"

const {
  FOPEN_CACHE_DIR,
  FOPEN_DIRECT_IO,
  FOPEN_KEEP_CACHE,
  FOPEN_NOFLUSH,
  FOPEN_NONSEEKABLE,
  FOPEN_PARALLEL_DIRECT_WRITES,
  FOPEN_STREAM
} = openReplyFlags

/** Runs one program inside a mount whose replies have these flags: what it prints, and the operations that came. */
const observe = (flags: Parameters<typeof everyOperation>[0], program: string) =>
  Effect.gen(function* () {
    const { asked, backend } = everyOperation(flags)
    const { mountpoint, run } = yield* serve(backend)
    const printed = yield* run("python3", ["-c", client, mountpoint, JSON.stringify([["ran", program]])])
    return { printed: printed.trimEnd().replace(/^ran: ?/, ""), operations: asked.map(({ op }) => op) }
  })

const count = (operations: ReadonlyArray<string>, operation: string): number =>
  operations.filter((one) => one === operation).length

const positions = `
file = opened()
print(failing(lambda: os.lseek(file, 3, os.SEEK_SET)), failing(lambda: os.pread(file, 1, 1)), os.read(file, 6).decode())
`

describe("flags of a reply to open", () => {
  it.live("without any, a file has positions", () =>
    Effect.gen(function* () {
      assert.strictEqual((yield* observe({}, positions)).printed, "no error no error nty by")
    })
  )

  it.live("FOPEN_NONSEEKABLE: lseek(2) and pread(2) answer ESPIPE", () =>
    Effect.gen(function* () {
      const { printed } = yield* observe({ open: FOPEN_DIRECT_IO | FOPEN_NONSEEKABLE }, positions)
      assert.strictEqual(printed, "ESPIPE ESPIPE twenty")
    })
  )

  it.live("FOPEN_STREAM: there is no position at all", () =>
    Effect.gen(function* () {
      const { printed } = yield* observe(
        { open: FOPEN_DIRECT_IO | FOPEN_STREAM },
        `
file = opened()
print(failing(lambda: os.lseek(file, 3, os.SEEK_SET)), os.read(file, 6).decode(), os.read(file, 6).decode())
`
      )
      assert.strictEqual(printed, "ESPIPE twenty twenty")
    })
  )

  it.live("FOPEN_NOFLUSH: close(2) sends no FLUSH, so that its error reaches nobody", () =>
    Effect.gen(function* () {
      const close = `print(failing(lambda: os.close(opened())))`
      const flushed = yield* observe({}, close)
      assert.deepStrictEqual([flushed.printed, count(flushed.operations, "flush")], ["EDQUOT", 1])
      const unflushed = yield* observe({ open: FOPEN_DIRECT_IO | FOPEN_NOFLUSH }, close)
      assert.deepStrictEqual([unflushed.printed, count(unflushed.operations, "flush")], ["no error", 0])
    })
  )

  it.live("FOPEN_CACHE_DIR: a second listing comes from the kernel", () =>
    Effect.gen(function* () {
      const twice = `print(len(os.listdir("many")), len(os.listdir("many")))`
      const listings = ({ operations }: { readonly operations: ReadonlyArray<string> }) =>
        count(operations, "readdir") + count(operations, "readdirplus")
      const asked = yield* observe({}, twice)
      const kept = yield* observe({ opendir: FOPEN_CACHE_DIR | FOPEN_KEEP_CACHE }, twice)
      assert.deepStrictEqual([asked.printed, kept.printed], ["200 200", "200 200"])
      assert.strictEqual(listings(asked), 2 * listings(kept))
    })
  )

  for (const [flag, parallel] of [
    [0, false],
    [FOPEN_PARALLEL_DIRECT_WRITES, true]
  ] as const) {
    it.live(
      `direct writes of one file are served ${parallel ? "side by side with FOPEN_PARALLEL_DIRECT_WRITES" : "one after the other"}`,
      () =>
        Effect.gen(function* () {
          const { backend } = everyOperation({ open: FOPEN_DIRECT_IO | flag })
          const { statfs } = backend
          const first = yield* Deferred.make<void>()
          const second = yield* Deferred.make<void>()
          let writing = 0
          let most = 0
          const { mountpoint, run } = yield* serve({
            ...backend,
            statfs: (request, context) =>
              Effect.andThen(Deferred.succeed(first, undefined), statfs?.(request, context) ?? Effect.die("no statfs")),
            write: ({ data }) =>
              Effect.gen(function* () {
                most = Math.max(most, ++writing)
                // With the flag each waits for the other. Without it the first goes on once both have been started.
                if (parallel) {
                  if (writing === 2) yield* Deferred.succeed(second, undefined)
                  yield* Deferred.await(second)
                } else yield* Deferred.await(first)
                writing--
                return data.length
              })
          })
          // The kernel serialises writes that extend the file in any case: these lie within its 20 bytes.
          const program = `
import threading
file = opened()
def write(offset): os.pwrite(file, b"12345", offset)
threads = [threading.Thread(target=write, args=(i * 5,)) for i in range(2)]
for thread in threads: thread.start()
os.statvfs(".")
for thread in threads: thread.join()
print("written")
`
          assert.strictEqual(
            yield* run("python3", ["-c", client, mountpoint, JSON.stringify([["ran", program]])]),
            "ran: written\n"
          )
          assert.strictEqual(most, parallel ? 2 : 1)
        })
    )
  }
})
