/** A mount whose frames the program reads and writes itself, as libfuse's `fuse_session_custom_io` has it. */
import { assert, describe, it } from "@effect/vitest"
import { embedFrames } from "@bickford/session"
import { fd, mountDevice, select_read, unmountDevice } from "@bickford/transport"
import * as Effect from "effect/Effect"
import * as Fiber from "effect/Fiber"
import { readSync, writeSync } from "node:fs"
import { commandsOn, mountpointFolder } from "./inProcess.ts"
import { oneFile } from "./oneFile.ts"

describe("a program's own reader and writer on the real kernel", () => {
  it.live("serve a mount from INIT to its end", () =>
    Effect.gen(function* () {
      const mountpoint = yield* mountpointFolder
      let destroyed = 0
      const { handle } = yield* mountDevice({ mountpoint, allowOther: true })
      const device = fd(handle)
      if (device === undefined) return assert.fail("the descriptor is closed")
      const session = yield* embedFrames(
        oneFile({ destroy: () => Effect.sync(() => void destroyed++) }),
        (frame) => void writeSync(device, frame)
      )
      const frame = new Uint8Array((1 << 20) + 4096)
      /** Frames that are ready; false when the kernel has none left to send. */
      const readReady = (): boolean => {
        for (;;) {
          try {
            if (!session.process(frame.slice(0, readSync(device, frame)))) return false
          } catch (error) {
            if (!(error instanceof Error) || !("code" in error)) throw error
            if (error.code === "EAGAIN") return true
            if (error.code === "ENODEV") return false
            if (error.code !== "EINTR" && error.code !== "ENOENT") throw error
          }
        }
      }
      const loop = yield* Effect.forkChild(
        Effect.gen(function* () {
          do yield* select_read(handle)
          while (readReady())
          session.exit()
        })
      )
      const { run } = commandsOn(mountpoint)
      assert.strictEqual(yield* run("cat", [`${mountpoint}/file`]), "hello")
      yield* run("sh", ["-c", `echo text > ${mountpoint}/file`])
      yield* unmountDevice({ mountpoint })
      yield* Fiber.join(loop)
      yield* session.session.awaitEnd
      assert.strictEqual(destroyed, 1)
    })
  )
})
