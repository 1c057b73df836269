/** A served directory on the real kernel, where more changes than was asked for. */
import { assert, describe, it } from "@effect/vitest"
import { passthrough, type PassthroughOptions } from "@bickford/backends"
import * as Effect from "effect/Effect"
import * as fs from "node:fs"
import { tmpdir } from "node:os"
import { join } from "node:path"
import { serve } from "./inProcess.ts"

/** A directory, served; other users reach the mountpoint. */
const start = (options: PassthroughOptions = {}) =>
  Effect.gen(function*() {
    const folder = yield* Effect.acquireRelease(
      Effect.sync(() => fs.mkdtempSync(join(tmpdir(), "bickford-sides-"))),
      (path) => Effect.sync(() => fs.rmSync(path, { recursive: true, force: true }))
    )
    fs.chmodSync(folder, 0o755)
    return { ...(yield* serve(passthrough(folder, options))), folder }
  })

describe("attributes of a served directory's files", { timeout: 120_000 }, () => {
  for (const kernelPassthrough of [true, false]) {
    it.live(`are the directory's at once, whatever has changed them${kernelPassthrough ? "" : ", without the kernel's passthrough"}`, () =>
      Effect.gen(function*() {
        const { attempt, folder, mountpoint } = yield* start({ kernelPassthrough })
        const { stderr, stdout } = yield* attempt("python3", [join(import.meta.dirname, "sideEffects.py"), mountpoint, folder], { timeoutMilliseconds: 100_000 })
        assert.deepStrictEqual([stdout.trim(), stderr], ["", ""])
      }))
  }
})

it.live("a served directory gives no file handles, which would be stale when the kernel has forgotten the file", () =>
  Effect.gen(function*() {
    const { folder, mountpoint, run } = yield* start()
    fs.writeFileSync(join(folder, "file"), "")
    const answer = yield* run("python3", ["-c", `
import ctypes, errno, sys
libc = ctypes.CDLL(None, use_errno=True)
room = ctypes.create_string_buffer((128).to_bytes(4, "little"), 136)
mount = ctypes.c_int()
status = libc.name_to_handle_at(-100, sys.argv[1].encode(), room, ctypes.byref(mount), 0)
print("a handle" if status == 0 else errno.errorcode[ctypes.get_errno()])
`, join(mountpoint, "file")])
    assert.strictEqual(answer, "ENOTSUP\n")
  }))
