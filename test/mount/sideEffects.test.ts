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
  Effect.gen(function* () {
    const folder = yield* Effect.acquireRelease(
      Effect.sync(() => fs.mkdtempSync(join(tmpdir(), "bickford-sides-"))),
      (path) => Effect.sync(() => fs.rmSync(path, { recursive: true, force: true }))
    )
    fs.chmodSync(folder, 0o755)
    return { ...(yield* serve(passthrough(folder, options))), folder }
  })

describe("attributes of a served directory's files", () => {
  for (const kernelPassthrough of [true, false]) {
    it.live(
      `are the directory's at once, whatever has changed them${kernelPassthrough ? "" : ", without the kernel's passthrough"}`,
      () =>
        Effect.gen(function* () {
          const { attempt, folder, mountpoint } = yield* start({ kernelPassthrough })
          const { stderr, stdout } = yield* attempt("python3", [
            join(import.meta.dirname, "sideEffects.py"),
            mountpoint,
            folder
          ])
          assert.deepStrictEqual([stdout.trim(), stderr], ["", ""])
        })
    )
  }
})

it.live("a served directory gives no file handles, which would be stale when the kernel has forgotten the file", () =>
  Effect.gen(function* () {
    const { folder, mountpoint, run } = yield* start()
    fs.writeFileSync(join(folder, "file"), "")
    const answer = yield* run("python3", [
      "-c",
      `
import ctypes, errno, sys
libc = ctypes.CDLL(None, use_errno=True)
room = ctypes.create_string_buffer((128).to_bytes(4, "little"), 136)
mount = ctypes.c_int()
status = libc.name_to_handle_at(-100, sys.argv[1].encode(), room, ctypes.byref(mount), 0)
print("a handle" if status == 0 else errno.errorcode[ctypes.get_errno()])
`,
      join(mountpoint, "file")
    ])
    assert.strictEqual(answer, "ENOTSUP\n")
  })
)

describe("a file that can only be appended to", () => {
  for (const options of ["", "no kernel passthrough"]) {
    it.live(`is appended to, and nothing else${options === "" ? "" : `, with ${options}`}`, () =>
      Effect.gen(function* () {
        const { folder, mountpoint, run } = yield* start({ kernelPassthrough: options === "" })
        const file = join(folder, "log")
        fs.writeFileSync(file, "one\n")
        // FS_IOC_GETFLAGS, FS_IOC_SETFLAGS and FS_APPEND_FL, as chattr(1) has them.
        const appendOnly = (only: boolean) =>
          run("python3", [
            "-c",
            `
import fcntl, struct, sys
with open(sys.argv[1]) as file:
    flags, = struct.unpack("i", fcntl.ioctl(file, 0x80086601, bytes(4)))
    fcntl.ioctl(file, 0x40086602, struct.pack("i", flags | 0x20 if sys.argv[2] == "true" else flags & ~0x20))
`,
            file,
            String(only)
          ])
        yield* Effect.acquireRelease(appendOnly(true), () => appendOnly(false))
        yield* run("python3", [
          "-c",
          `
import os, sys
path = sys.argv[1]
def refused(call, *args):
    try: call(*args)
    except PermissionError: return
    raise AssertionError((call, args))
for flags in (os.O_WRONLY, os.O_RDWR, os.O_WRONLY | os.O_APPEND | os.O_CREAT):
    if flags & os.O_APPEND == 0: refused(os.open, path, flags)
    descriptor = os.open(path, flags | os.O_APPEND)
    os.write(descriptor, b"more\\n")
    os.write(descriptor, b"and more\\n")
    os.close(descriptor)
refused(os.truncate, path, 0)
refused(os.open, path, os.O_WRONLY | os.O_APPEND | os.O_TRUNC)
refused(os.unlink, path)
`,
          join(mountpoint, "log")
        ])
        assert.strictEqual(fs.readFileSync(file, "utf8"), `one\n${"more\nand more\n".repeat(3)}`)
      })
    )
  }
})

describe("a change by a name that others have just moved or removed", () => {
  for (const kernelPassthrough of [true, false]) {
    it.live(`is refused, or is what was meant${kernelPassthrough ? "" : ", without the kernel's passthrough"}`, () =>
      Effect.gen(function* () {
        const { attempt, folder, mountpoint } = yield* start({ kernelPassthrough, entryTimeout: 60, attrTimeout: 60 })
        const { stderr, stdout } = yield* attempt("python3", [
          join(import.meta.dirname, "staleNames.py"),
          mountpoint,
          folder
        ])
        assert.deepStrictEqual([stdout.trim(), stderr], ["", ""])
      })
    )
  }
})
