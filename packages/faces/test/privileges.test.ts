/** Set-user-ID and set-group-ID of a file that is written to without a mount: they go as they do by the kernel. */
import { assert, describe, it } from "@effect/vitest"
import { memory, PathFilesystem, sqlite } from "@bickford/backends"
import { type BackendSource, Local } from "@bickford/session"
import * as Effect from "effect/Effect"
import { mkdtemp, rm } from "node:fs/promises"
import { tmpdir } from "node:os"
import { join } from "node:path"
import { memoryCallbacks } from "../../../test/path/memoryPaths.ts"

const folder = Effect.acquireRelease(
  Effect.promise(() => mkdtemp(join(tmpdir(), "bickford-privileges-"))),
  (path) => Effect.promise(() => rm(path, { recursive: true, force: true }))
)

const sources: { readonly [name: string]: (folder: string) => BackendSource } = {
  memory: () => memory(),
  sqlite: (path) => sqlite(join(path, "store")),
  "callbacks by path": () => PathFilesystem.make(memoryCallbacks())
}

const writeOnly = 1
const appending = 0o2000
const truncating = 0o1000

/** The ways in which a file's content changes. */
const ways: { readonly [name: string]: (calls: Local.LocalCalls) => Effect.Effect<unknown, unknown> } = {
  write: (calls) =>
    Effect.flatMap(calls.open("/file", writeOnly), (file) => using(file, file.write(1, Buffer.from("x")))),
  append: (calls) =>
    Effect.flatMap(calls.open("/file", writeOnly | appending), (file) => using(file, file.write(0, Buffer.from("x")))),
  ftruncate: (calls) => Effect.flatMap(calls.open("/file", writeOnly), (file) => using(file, file.truncate(2))),
  "open with O_TRUNC": (calls) =>
    Effect.flatMap(calls.open("/file", writeOnly | truncating), (file) => using(file, Effect.void)),
  truncate: (calls) => calls.truncate("/file", 2),
  writeFile: (calls) => calls.writeFile("/file", "other")
}

const using = <A, E>(file: Local.OpenHandle, body: Effect.Effect<A, E>) =>
  Effect.ensuring(body, Effect.ignore(file.close))

describe("set-user-ID and set-group-ID", () => {
  for (const [name, source] of Object.entries(sources))
    it.live(`${name}: go when another user than root writes, and stay when root does`, () =>
      Effect.gen(function* () {
        const kernel = yield* Local.localKernel(source(yield* folder))
        const as = (uid: number, gid: number, groups: ReadonlyArray<number> = []) =>
          Local.localCalls({ kernel, rules: Local.rulesFor(kernel, { uid, gid, groups }) })
        const [root, user, member] = [as(0, 0), as(1000, 1000), as(1001, 1001, [7])]
        yield* root.writeFile("/file", "text")
        yield* root.chown("/file", 0, 7)
        for (const [way, change] of Object.entries(ways))
          for (const [calls, before, after] of [
            [user, 0o4777, 0o777],
            [user, 0o6777, 0o777],
            // Backends that do it by themselves ask who the process is, which is root here and in every group.
            ...(name === "callbacks by path" ? [[user, 0o2767, 0o767] as const] : []),
            [member, 0o6767, 0o2767],
            [root, 0o6777, 0o6777]
          ] as const) {
            yield* root.chmod("/file", before)
            yield* change(calls)
            const { mode } = yield* root.stat("/file")
            assert.strictEqual((mode & 0o7777).toString(8), after.toString(8), `${way} of ${before.toString(8)}`)
          }
      })
    )
})
