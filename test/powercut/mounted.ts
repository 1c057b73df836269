/** The load of the power-cut test over a real mount: several writer processes at once, whose server is killed and followed by another. */
import * as Effect from "effect/Effect"
import * as Fiber from "effect/Fiber"
import { statSync, writeFileSync } from "node:fs"
import { dirname, join } from "node:path"
import { setTimeout as delay } from "node:timers/promises"
import { fileURLToPath } from "node:url"
import { keep } from "../mount/keeper.ts"
import { readRecord, watching } from "../preload/disk.ts"
import type { PowerCutTest } from "./size.ts"

const writer = join(dirname(fileURLToPath(import.meta.url)), "writer.ts")

/** Has writers work on a mounted store, and returns what its servers did to the disk. Every call of a writer succeeds. */
export const recordMounted = Effect.fnUntraced(function* (folder: string, test: PowerCutTest, random: () => number) {
  const store = join(folder, "store")
  const record = join(folder, "record")
  writeFileSync(record, "")
  const env = yield* Effect.promise(() => watching(folder, { prefix: store, record }))
  const { kill, mountpoint, run, start, unmount } = yield* keep("resumable.ts", [store], env)
  yield* Effect.promise(start)

  const write = (client: number): Effect.Effect<string> =>
    run(process.execPath, [
      "--conditions=development",
      "--disable-warning=ExperimentalWarning",
      writer,
      mountpoint,
      record,
      `${test.seed * 10}`,
      `${client}`,
      `${test.operations}`
    ])
  let writing = true
  const writers = yield* Effect.forkChild(
    Effect.all(
      Array.from({ length: test.clients }, (_, client) => write(client)),
      { concurrency: "unbounded", discard: true }
    ).pipe(
      Effect.ensuring(
        Effect.sync(() => {
          writing = false
        })
      )
    )
  )

  /** Waits until the record has grown by so many bytes; false when the writers have ended before. */
  const grown = async (bytes: number): Promise<boolean> => {
    const size = statSync(record).size + bytes
    while (writing && statSync(record).size < size) await delay(2)
    return writing
  }
  let kills = 0
  while (kills < test.lives - 1 && (yield* Effect.promise(() => grown(200_000 + random() * 800_000)))) {
    yield* Effect.promise(kill)
    kills++
    yield* Effect.promise(start)
  }
  yield* Fiber.join(writers)
  yield* unmount
  if (kills < test.lives - 1)
    return yield* Effect.die(new Error(`the writers had ended after ${kills} kills: give them more operations`))
  return readRecord(record, kills)
})
