/** What a program changes behind a mount of its own is seen in the mount, though the kernel would trust its cache for an hour. */
import { assert, describe, it } from "@effect/vitest"
import { fromFs, fromVfs } from "@bickford/faces"
import { MemoryProvider } from "@platformatic/vfs"
import type { Backend } from "@bickford/session"
import * as Effect from "effect/Effect"
import { Volume } from "memfs"
import * as nodeFs from "node:fs/promises"
import { tmpdir } from "node:os"
import { join } from "node:path"
import { serve } from "../mount/inProcess.ts"

const hour = { entryTimeout: 3600, attrTimeout: 3600 }

/** A filesystem, mounted with `watch`, and how its program writes to it. */
interface Watched {
  readonly backend: Backend
  readonly write: (name: string, text: string) => Promise<void>
}

const folder = Effect.acquireRelease(
  Effect.promise(() => nodeFs.mkdtemp(join(tmpdir(), "bickford-faces-"))),
  (path) => Effect.promise(() => nodeFs.rm(path, { recursive: true, force: true }))
)

const kinds: { readonly [name: string]: Effect.Effect<Watched, never, Effect.Services<typeof folder>> } = {
  "node:fs/promises": Effect.map(folder, (root) => ({
    backend: fromFs(nodeFs, { root, watch: true, ...hour }),
    write: (name, text) => nodeFs.writeFile(join(root, name), text)
  })),
  memfs: Effect.sync(() => {
    const { promises } = Volume.fromJSON({}, "/")
    return {
      backend: fromFs(promises, { watch: true, ...hour }),
      write: async (name, text) => void (await promises.writeFile(`/${name}`, text))
    }
  }),
  "@platformatic/vfs": Effect.sync(() => {
    const provider = new MemoryProvider()
    return {
      backend: fromVfs(provider, { watch: true, ...hour }),
      write: (name, text) => provider.writeFile(`/${name}`, text)
    }
  })
}

describe("a watched filesystem", () => {
  for (const [name, make] of Object.entries(kinds))
    it.live(`${name}: what changes behind the mount is seen in it`, () =>
      Effect.gen(function* () {
        const { backend, write } = yield* make
        yield* Effect.promise(() => write("file", "one"))
        const { mountpoint, run } = yield* serve(backend)
        const look = run("sh", ["-c", `cd "$1"; cat file; stat -c ' %s' file; cat fresh 2>&1 || :`, "sh", mountpoint])
        // The kernel knows the file, and that there is no other.
        assert.include(yield* look, "one 3\n")
        yield* Effect.promise(() => write("file", "changed"))
        yield* Effect.promise(() => write("fresh", "new"))
        for (let seen = yield* look; seen !== "changed 7\nnew"; seen = yield* look) yield* Effect.yieldNow
      })
    )
})
