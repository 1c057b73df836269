/** Aborting connections of real mounts, which nobody serves here. */
import { assert, describe, it } from "@effect/vitest"
import * as Effect from "effect/Effect"
import { mkdtemp, rmdir } from "node:fs/promises"
import { tmpdir } from "node:os"
import { join } from "node:path"
import { abortConnection } from "../src/mounting/abort.ts"
import { mountDevice, unmountDevice } from "../src/mounting/mount.ts"
import { addon } from "../src/native.ts"

const mountpointFolder = Effect.acquireRelease(
  Effect.promise(() => mkdtemp(join(tmpdir(), "bickford-abort-"))),
  (folder) => Effect.promise(() => rmdir(folder))
)

describe("aborting a connection", () => {
  it.live("ends it, and nobody else's that was given its number since", () =>
    Effect.gen(function* () {
      const here = yield* mountpointFolder
      const there = yield* mountpointFolder
      // Other processes mount as well: the number need not come back at once.
      for (let tries = 0; tries < 500; tries++) {
        const met = yield* Effect.scoped(
          Effect.gen(function* () {
            const gone = yield* mountDevice({ mountpoint: here })
            yield* unmountDevice(gone)
            const other = yield* mountDevice({ mountpoint: there })
            if (other.device !== gone.device) return false
            yield* abortConnection(gone)
            yield* abortConnection({ mountpoint: here, device: gone.device })
            assert.isTrue(addon.connected(other.handle), "it was aborted in another's place")
            yield* abortConnection(other)
            assert.isFalse(addon.connected(other.handle))
            return true
          })
        )
        if (met) return
      }
      assert.fail("no number was given again")
    })
  )

  it.live("needs no handle while it is mounted", () =>
    Effect.scoped(
      Effect.gen(function* () {
        const mounted = yield* mountDevice({ mountpoint: yield* mountpointFolder })
        const { device, handle, mountpoint } = mounted
        assert.isTrue(addon.connected(handle))
        yield* abortConnection({ mountpoint, device })
        assert.isFalse(addon.connected(handle))
      })
    )
  )
})
