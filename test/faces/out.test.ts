/** A mount and the faces of one program, on one filesystem: each sees at once what the other did. */
import { assert, describe, it } from "@effect/vitest"
import { memory, sqlite } from "@bickford/backends"
import { share, toEffect, toFs } from "@bickford/faces"
import type { BackendSource } from "@bickford/session"
import * as Effect from "effect/Effect"
import { mkdtemp, rm } from "node:fs/promises"
import { tmpdir } from "node:os"
import { join } from "node:path"
import { serve } from "../mount/inProcess.ts"

const withFolder = Effect.acquireRelease(
  Effect.promise(() => mkdtemp(join(tmpdir(), "bickford-faces-"))),
  (folder) => Effect.promise(() => rm(folder, { recursive: true, force: true }))
)

const sources: { readonly [name: string]: (folder: string) => BackendSource } = {
  memory: () => memory(),
  sqlite: (folder) => sqlite(join(folder, "store"))
}

describe("a mount beside its faces", () => {
  for (const [name, source] of Object.entries(sources))
    it.live(`${name}: what one side changes the other sees at once`, () =>
      Effect.gen(function* () {
        const folder = yield* withFolder
        const shared = yield* Effect.acquireRelease(
          Effect.promise(() => share(source(folder))),
          ({ close }) => Effect.promise(close)
        )
        const fs = toFs(shared)
        const { mountpoint, run } = yield* serve(shared.backend)
        const sh = (script: string) => run("sh", ["-ec", `cd "$1"; ${script}`, "sh", mountpoint])
        const face = <A>(call: () => Promise<A>) => Effect.promise(call)

        // The kernel knows that nothing is there, and caches it.
        assert.strictEqual(yield* sh("test -e file || echo none; ls"), "none\n")
        yield* face(() => fs.writeFile("/file", "one"))
        assert.strictEqual(yield* sh("cat file; stat -c ' %s' file; ls"), "one 3\nfile\n")
        // Pages and attributes that the kernel holds.
        yield* face(() => fs.writeFile("/file", "longer"))
        assert.strictEqual(yield* sh("cat file; stat -c ' %s' file"), "longer 6\n")
        yield* face(() => fs.chmod("/file", 0o600))
        yield* face(() => fs.link("/file", "/other"))
        assert.strictEqual(yield* sh("stat -c '%a %h' file other"), "600 2\n600 2\n")
        yield* face(() => fs.unlink("/other"))
        assert.strictEqual(yield* sh("stat -c '%a %h' file; ls"), "600 1\nfile\n")
        yield* face(() => fs.rename("/file", "/moved"))
        assert.strictEqual(yield* sh("test -e file || cat moved; ls"), "longermoved\n")
        // The other way round.
        yield* sh("echo two > moved; mkdir d; echo three > d/new; ln -s moved link; exec 3< moved; rm moved; cat <&3")
        assert.deepStrictEqual((yield* face(() => fs.readdir("/"))).toSorted(), ["d", "link"])
        assert.strictEqual(yield* face(() => fs.readFile("/d/new", "utf8")), "three\n")
        yield* toEffect(shared).remove("/d", { recursive: true })
        assert.strictEqual(yield* sh("ls -d d 2> /dev/null || ls"), "link\n")
      })
    )

  it.live("a file that a face has open is there until it is closed, whatever the mount does", () =>
    Effect.gen(function* () {
      const shared = yield* Effect.acquireRelease(
        Effect.promise(() => share(memory())),
        ({ close }) => Effect.promise(close)
      )
      const fs = toFs(shared)
      const { mountpoint, run } = yield* serve(shared.backend)
      const handle = yield* Effect.promise(() => fs.open("/file", "w+"))
      yield* Effect.promise(() => handle.writeFile("text"))
      yield* run("sh", ["-ec", `cd "$1"; cat file; rm file; ls`, "sh", mountpoint])
      assert.strictEqual(
        yield* Effect.promise(async () => (await handle.readFile("utf8")) + (await handle.stat()).nlink),
        "0"
      )
      const { buffer } = yield* Effect.promise(() => handle.read(Buffer.alloc(4), 0, 4, 0))
      assert.strictEqual(Buffer.from(buffer).toString(), "text")
      yield* Effect.promise(() => handle.close())
    })
  )
})
