/** An abort that the kernel tells of as of an unmount: ENODEV, while the mount is still there. */
import { assert, it } from "@effect/vitest"
import { abortConnection, findMount } from "@bickford/transport"
import * as Effect from "effect/Effect"
import { join } from "node:path"
import { serve } from "./inProcess.ts"
import { oneFile } from "./oneFile.ts"

it.live("is the end by an abort, and leaves no mount", () =>
  Effect.gen(function* () {
    const { mounted, mountpoint } = yield* serve(oneFile(), { session: { abortError: false } })
    yield* abortConnection(mounted)
    assert.strictEqual((yield* mounted.awaitEnd).reason, "aborted")
    assert.isUndefined(findMount(mountpoint))
  })
)

it.live("is followed by a new mount where that was asked for", () =>
  Effect.gen(function* () {
    const { mounted, mountpoint, run } = yield* serve(oneFile(), { session: { abortError: false }, remount: "onAbort" })
    yield* abortConnection(mounted)
    const ended = yield* Effect.raceFirst(
      Effect.map(mounted.awaitEnd, ({ reason }) => reason),
      Effect.as(Effect.repeat(Effect.sleep(5), { until: () => mounted.remounts === 1 }), "remounted")
    )
    assert.strictEqual(ended, "remounted")
    assert.strictEqual(yield* run("cat", [join(mountpoint, "file")]), "hello")
  })
)
