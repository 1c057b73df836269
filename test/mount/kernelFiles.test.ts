/** The kernel's own filesystems, served: their files have more in them than their size tells, and none of them waits. */
import { assert, describe, it } from "@effect/vitest"
import { passthrough } from "@bickford/backends"
import * as Effect from "effect/Effect"
import { readFileSync } from "node:fs"
import { join } from "node:path"
import { serve } from "./inProcess.ts"

for (const kernelPassthrough of [true, false]) {
  describe(`served ${kernelPassthrough ? "with" : "without"} the kernel's passthrough`, () => {
    it.live("/proc has its files' content, listings, and values that can be written", () =>
      Effect.gen(function* () {
        const { attempt, mountpoint, run } = yield* serve(passthrough("/proc", { kernelPassthrough }))
        const at = (name: string) => join(mountpoint, name)
        for (let time = 0; time < 2; time++) {
          for (const name of ["version", "sys/kernel/pid_max", "1/comm"])
            assert.strictEqual(yield* run("cat", [at(name)]), readFileSync(join("/proc", name), "utf8"), name)
        }
        assert.match(yield* run("ls", [at("")]), /\nversion\n/)
        assert.match(yield* run("grep", ["-c", "", at("kallsyms")]), /^\d{4,}\n$/)
        const own = "sys/kernel/random/write_wakeup_threshold"
        const before = readFileSync(join("/proc", own), "utf8")
        yield* run("sh", ["-c", `echo ${before.trim()} >"$1"`, "sh", at(own)])
        assert.strictEqual(yield* run("cat", [at(own)]), before)
        // A read of it would wait for the kernel's next message.
        yield* attempt("head", ["-c", "1", at("kmsg")])
        assert.strictEqual(yield* run("cat", [at("version")]), readFileSync("/proc/version", "utf8"))
      })
    )

    it.live("/sys and /dev are listed whole", () =>
      Effect.gen(function* () {
        const sys = yield* serve(passthrough("/sys", { kernelPassthrough }))
        const file = "kernel/fscaps"
        assert.strictEqual(
          yield* sys.run("cat", [join(sys.mountpoint, file)]),
          readFileSync(join("/sys", file), "utf8")
        )
        const dev = yield* serve(passthrough("/dev", { kernelPassthrough }))
        const listed = yield* dev.run("find", [dev.mountpoint, "-maxdepth", "1", "-type", "c", "-name", "null"])
        assert.strictEqual(listed, `${join(dev.mountpoint, "null")}\n`)
        // As on a mount without `dev`.
        const { status } = yield* dev.attempt("cat", [join(dev.mountpoint, "null")])
        assert.strictEqual(status, 1)
      })
    )
  })
}
