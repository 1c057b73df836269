/** The fake kernel's calls by path: what a program sees, and nothing left behind. */
import { assert, describe, it } from "@effect/vitest"
import { memory, PathFilesystem } from "@bickford/backends"
import type { AsyncBackend, Backend } from "@bickford/session"
import { FakeKernel } from "@bickford/session/testing"
import * as Effect from "effect/Effect"
import { memoryCallbacks } from "../path/memoryPaths.ts"

const refused = <A>(call: Effect.Effect<A, { readonly _tag: string }>) =>
  Effect.match(call, { onFailure: (error) => error._tag, onSuccess: () => "done" })

/** Serves `backend`, and sees that a test leaves no lookup, no handle and no reply that nobody was owed. */
const serving = (
  backend: AsyncBackend,
  body: (kernel: FakeKernel.FakeKernel) => Effect.Effect<void, { readonly _tag: string }>
) =>
  Effect.gen(function* () {
    const { kernel, session } = yield* FakeKernel.serve(backend)
    yield* kernel.init()
    yield* body(kernel)
    assert.strictEqual(session.connection.nodes.size, 0)
    assert.strictEqual(session.connection.handles.size, 0)
    assert.strictEqual(session.connection.inFlight.size, 0)
    assert.strictEqual(session.connection.counters.defects, 0)
    assert.deepStrictEqual(kernel.unexpected(), [])
  })

const withoutPlus = (): Backend => {
  const { readdirplus: _, ...backend } = memory()
  return backend
}
const withoutCreate = (): Backend => {
  const { create: _, ...backend } = memory({ opens: true })
  return backend
}

const backends: { readonly [name: string]: () => Backend } = {
  memory: () => memory(),
  "memory that opens files itself": () => memory({ opens: true }),
  "memory without READDIRPLUS": withoutPlus,
  "memory without CREATE": withoutCreate,
  "callbacks by path": () => PathFilesystem.make(memoryCallbacks())
}

for (const [name, make] of Object.entries(backends)) {
  describe(name, () => {
    it.live("files are read as they were written", () =>
      serving(make(), (kernel) =>
        Effect.gen(function* () {
          yield* kernel.mkdir("/a")
          yield* kernel.writeFile("/a/b", "a longer text")
          yield* kernel.writeFile("/a/b", "text", 0o600)
          assert.strictEqual((yield* kernel.readFile("/a/b")).toString(), "text")
          const { mode, size } = yield* kernel.stat("/a/b")
          assert.deepStrictEqual([mode, size], [0o100644, 4])
          const long = Buffer.alloc(500_000, "0123456789")
          yield* kernel.writeFile("/long", long, 0o600)
          assert.isTrue((yield* kernel.readFile("/long")).equals(long))
          assert.strictEqual((yield* kernel.stat("/long")).mode, 0o100600)
          yield* kernel.truncate("/long", 3)
          yield* kernel.chmod("/long", 0o640)
          assert.strictEqual((yield* kernel.readFile("/long")).toString(), "012")
          assert.strictEqual((yield* kernel.stat("/long")).mode, 0o100640)
          yield* kernel.writeFile("/empty", "")
          assert.strictEqual((yield* kernel.readFile("/empty")).length, 0)
        })
      )
    )

    it.live("directories are listed whole, names moved, linked and removed", () =>
      serving(make(), (kernel) =>
        Effect.gen(function* () {
          yield* kernel.mkdir("/many", 0o700)
          // More than one READDIR holds.
          const names = Array.from({ length: 600 }, (_, n) => String(n).padStart(250, "0"))
          for (const file of names) yield* kernel.writeFile(`/many/${file}`, "")
          assert.deepStrictEqual([...(yield* kernel.readdir("/many"))].sort(), names)
          yield* kernel.mkdir("/d")
          yield* kernel.writeFile("/d/one", "1")
          yield* kernel.link("/d/one", "/d/two")
          assert.strictEqual((yield* kernel.stat("/d/two")).nlink, 2)
          yield* kernel.rename("/d/one", "/three")
          assert.deepStrictEqual(yield* kernel.readdir("/d"), ["two"])
          assert.strictEqual((yield* kernel.readFile("/three")).toString(), "1")
          yield* kernel.unlink("/d/two")
          yield* kernel.rmdir("/d")
          assert.deepStrictEqual([...(yield* kernel.readdir("/"))].sort(), ["many", "three"])
        })
      )
    )

    it.live("symbolic links are followed as the kernel does", () =>
      serving(make(), (kernel) =>
        Effect.gen(function* () {
          yield* kernel.mkdir("/d")
          yield* kernel.symlink("d", "/link")
          yield* kernel.symlink("/link/../d/file", "/absolute")
          yield* kernel.symlink("/", "/top")
          yield* kernel.symlink("loop", "/loop")
          yield* kernel.writeFile("/absolute", "through")
          assert.strictEqual((yield* kernel.readFile("/link/file")).toString(), "through")
          assert.strictEqual((yield* kernel.readFile("/top/d/./file")).toString(), "through")
          assert.strictEqual(yield* kernel.readlink("/link"), "d")
          assert.strictEqual((yield* kernel.stat("/link")).mode & 0o170000, 0o040000)
          assert.strictEqual((yield* kernel.lstat("/link")).mode & 0o170000, 0o120000)
          assert.include(yield* kernel.readdir("/top"), "loop")
          assert.strictEqual(yield* refused(kernel.stat("/loop")), "ELOOP")
          assert.strictEqual(yield* refused(kernel.readlink("/d")), "EINVAL")
        })
      )
    )

    it.live("what the kernel refuses is refused", () =>
      serving(make(), (kernel) =>
        Effect.gen(function* () {
          yield* kernel.mkdir("/d")
          yield* kernel.writeFile("/f", "")
          assert.strictEqual(yield* refused(kernel.stat("/none")), "ENOENT")
          assert.strictEqual(yield* refused(kernel.stat("/none/x")), "ENOENT")
          assert.strictEqual(yield* refused(kernel.stat("/f/x")), "ENOTDIR")
          assert.strictEqual(yield* refused(kernel.readFile("/d")), "EISDIR")
          assert.strictEqual(yield* refused(kernel.writeFile("/d", "")), "EISDIR")
          assert.strictEqual(yield* refused(kernel.readdir("/f")), "ENOTDIR")
          assert.strictEqual(yield* refused(kernel.mkdir("/f")), "EEXIST")
          assert.strictEqual(yield* refused(kernel.unlink("/d")), "EISDIR")
          assert.strictEqual(yield* refused(kernel.rmdir("/f")), "ENOTDIR")
          assert.strictEqual(yield* refused(kernel.rmdir("/")), "EBUSY")
          assert.strictEqual(yield* refused(kernel.rename("/none", "/x")), "ENOENT")
          assert.strictEqual(yield* refused(kernel.stat("relative")), "EINVAL")
        })
      )
    )
  })
}

it.live("a call before INIT says what is missing", () =>
  Effect.gen(function* () {
    const { kernel } = yield* FakeKernel.serve(memory())
    const error = yield* Effect.flip(kernel.readFile("/a"))
    assert.include(error.message, "kernel.init()")
  })
)
