/**
 * A server is killed with SIGKILL while programs work on its mount, again and again: the next takes the
 * connection over, and the programs notice nothing.
 */
import { assert, it } from "@effect/vitest"
import * as Effect from "effect/Effect"
import * as Fiber from "effect/Fiber"
import { writeFile } from "node:fs/promises"
import { join } from "node:path"
import { root } from "./bickford.ts"
import { keep, storeFolder } from "./keeper.ts"
import { ended } from "./processes.ts"

const kills = 20
const client = join(root, "test", "soak", "client.ts")

interface Report {
  readonly calls: number
  readonly failed: number
  readonly slowest: number
  readonly wrong: ReadonlyArray<string>
}

it.live(`a server that is killed ${kills} times: no call fails, and none is done twice`, () =>
  Effect.gen(function* () {
    const folder = yield* storeFolder
    const { kill, mountpoint, run, start, unmount } = yield* keep("resumable.ts", [join(folder, "store")])
    let server = yield* Effect.promise(start)
    const enough = join(folder, "enough")
    const work = yield* Effect.forkChild(
      Effect.all(
        [0, 1, 2].map((n) => run(process.execPath, [client, join(mountpoint, `client${n}`), enough])),
        { concurrency: "unbounded" }
      )
    )
    for (let i = 0; i < kills; i++) {
      // Long enough for some work to have begun; where in it the blow falls is chance.
      yield* Effect.sleep(50 + Math.random() * 400)
      yield* Effect.promise(kill)
      server = yield* Effect.promise(start)
    }
    yield* Effect.promise(() => writeFile(enough, ""))
    const reports = (yield* Fiber.join(work)).map((output): Report => JSON.parse(output))
    assert.deepStrictEqual(
      reports.flatMap(({ wrong }) => wrong),
      []
    )
    assert.strictEqual(
      reports.reduce((sum, { failed }) => sum + failed, 0),
      0,
      "no call fails"
    )
    assert.isAbove(
      reports.reduce((sum, { calls }) => sum + calls, 0),
      kills
    )
    assert.strictEqual(yield* run("ls", ["-A", mountpoint]), "", "every name is as its calls returned")
    yield* unmount
    assert.deepStrictEqual(yield* Effect.promise(() => ended(server)), { status: 0, signal: null })
  })
)
