/** Watching a filesystem without a mount, and calls that a signal ends: as `node:fs/promises` on a directory. */
import { assert, describe, it } from "@effect/vitest"
import { memory, passthrough, sqlite } from "@bickford/backends"
import type { BackendSource } from "@bickford/session"
import * as Effect from "effect/Effect"
import * as Stream from "effect/Stream"
import * as nodeFs from "node:fs/promises"
import { join } from "node:path"
import { fromFs, type Shared, share, toEffect, toFs } from "../src/index.ts"
import { withFolder } from "./folder.ts"

const withShared = async (source: BackendSource, body: (shared: Shared) => Promise<void>): Promise<void> => {
  await using shared = await share(source)
  await body(shared)
}

/** What a call rejects with. */
const failureOf = (call: Promise<unknown>): Promise<unknown> =>
  call.then(
    () => assert.fail("it did not fail"),
    (error: unknown) => error
  )

/** What this test asks of a face, and of `node:fs/promises`. */
interface Watching {
  readonly mkdir: (path: string) => Promise<unknown>
  readonly writeFile: (path: string, data: string) => Promise<unknown>
  readonly rename: (from: string, to: string) => Promise<unknown>
  readonly unlink: (path: string) => Promise<unknown>
  readonly chmod: (path: string, mode: number) => Promise<unknown>
  readonly watch: (
    path: string,
    options: { readonly recursive: boolean; readonly signal: AbortSignal }
  ) => AsyncIterable<{ readonly eventType: string; readonly filename: string | null }>
}

/** The kinds of events of each name, once each, of what happens between `begin` and the making of a file `end`. */
const seen = async (
  fs: Watching,
  root: string,
  options: { readonly recursive: boolean },
  work: () => Promise<void>
): Promise<ReadonlyArray<string>> => {
  const stop = new AbortController()
  const events = new Set<string>()
  const watching = (async () => {
    for await (const { eventType, filename } of fs.watch(root, { ...options, signal: stop.signal })) {
      if (filename === "end") return
      if (filename !== "begin") events.add(`${eventType} ${filename}`)
    }
  })()
  let begun = false
  void watching.then(() => (begun = true))
  await work()
  while (!begun) {
    await fs.writeFile(`${root}/end`, "")
    await new Promise((resolve) => setImmediate(resolve))
  }
  await watching
  return [...events].toSorted()
}

const work = (fs: Watching, root: string) => async (): Promise<void> => {
  // A turn for the watching to begin.
  await new Promise((resolve) => setImmediate(resolve))
  await fs.writeFile(`${root}/d/file`, "text")
  await fs.writeFile(`${root}/new`, "text")
  await fs.chmod(`${root}/old`, 0o600)
  await fs.rename(`${root}/old`, `${root}/moved`)
  await fs.unlink(`${root}/new`)
}

const prepare = async (fs: Watching, root: string): Promise<void> => {
  await fs.mkdir(`${root}/d`)
  await fs.writeFile(`${root}/old`, "")
}

const sources: { readonly [name: string]: (folder: string) => BackendSource } = {
  memory: () => memory(),
  sqlite: (folder) => sqlite(join(folder, "store")),
  passthrough: (folder) => passthrough(folder)
}

describe("watch", () => {
  for (const [name, source] of Object.entries(sources))
    it(`${name}: tells what node:fs/promises tells of a directory`, () =>
      withFolder(async (folder) => {
        const [real, behind] = [join(folder, "real"), join(folder, "behind")]
        await nodeFs.mkdir(real)
        await nodeFs.mkdir(behind)
        await withShared(source(behind), async (shared) => {
          const fs = toFs(shared)
          await fs.mkdir("/root")
          await prepare(fs, "/root")
          const own: Watching = nodeFs
          await prepare(own, real)
          assert.deepStrictEqual(
            await seen(fs, "/root", { recursive: false }, work(fs, "/root")),
            await seen(own, real, { recursive: false }, work(own, real))
          )
        })
      }))

  it("tells of the directories below when it is recursive, and of a file by its own name", () =>
    withShared(memory(), async (shared) => {
      const fs = toFs(shared)
      await fs.mkdir("/root")
      await prepare(fs, "/root")
      const deep = await seen(fs, "/root", { recursive: true }, work(fs, "/root"))
      assert.includeMembers([...deep], ["rename d/file", "change d/file", "rename new", "change old", "rename moved"])
      const events = fs.watch("/root/moved")
      const first = events.next()
      await new Promise((resolve) => setImmediate(resolve))
      await fs.writeFile("/root/other", "")
      await fs.writeFile("/root/moved", "text")
      assert.deepStrictEqual(await first, { done: false, value: { eventType: "change", filename: "moved" } })
      await events.return()
    }))

  it("ends with an AbortError, and fails where nothing is, or where nobody knows", () =>
    withShared(memory(), async (shared) => {
      const fs = toFs(shared)
      const stop = new AbortController()
      const waiting = fs.watch("/", { signal: stop.signal }).next()
      stop.abort("enough")
      const failure = await failureOf(waiting)
      assert.deepInclude(failure, { name: "AbortError", code: "ABORT_ERR" })
      const none = await failureOf(fs.watch("/none").next())
      assert.deepInclude(none, { code: "ENOENT" })
      const { pathOf: _, ...pathless } = memory()
      await withShared(pathless, async (other) => {
        const unknown = await failureOf(toFs(other).watch("/").next())
        assert.deepInclude(unknown, { code: "ENOSYS" })
      })
    }))

  it("keeps as many events as it is told to", () =>
    withShared(memory(), async (shared) => {
      const fs = toFs(shared)
      const few = fs.watch("/", { maxQueue: 1, overflow: "throw" })
      const first = few.next()
      await new Promise((resolve) => setImmediate(resolve))
      await fs.writeFile("/a", "")
      await first
      for (const name of ["/b", "/c", "/d"]) await fs.writeFile(name, "")
      const failure = await failureOf(few.next())
      assert.deepInclude(failure, { code: "ERR_FS_WATCH_QUEUE_OVERFLOW" })
    }))

  it("Effect's service has it as a stream", () =>
    withShared(memory(), async (shared) => {
      const fs = toEffect(shared)
      const events = await Effect.runPromise(
        Stream.runCollect(
          Stream.take(
            fs.watch("/", {
              onReady: () =>
                void Effect.runFork(
                  Effect.andThen(
                    fs.writeFileString("/file", "text"),
                    Effect.andThen(fs.rename("/file", "/moved"), fs.remove("/moved"))
                  )
                )
            }),
            5
          )
        )
      )
      assert.isTrue(events.some(({ _tag, path }) => _tag === "Update" && path === "file"))
      assert.isTrue(events.some(({ _tag, path }) => _tag === "Remove" && path === "moved"))
    }))

  it("is followed by a mount of the face", () =>
    withShared(memory(), async (inner) => {
      const fs = toFs(inner)
      await withShared(fromFs(fs, { watch: true }), async (outer) => {
        await fs.writeFile("/file", "text")
        assert.strictEqual(await toFs(outer).readFile("/file", "utf8"), "text")
      })
    }))
})

describe("a signal", () => {
  it("ends readFile, writeFile and appendFile with an AbortError", () =>
    withShared(memory(), async (shared) => {
      const fs = toFs(shared)
      await fs.writeFile("/file", "text")
      const { signal } = new AbortController()
      assert.strictEqual(await fs.readFile("/file", { encoding: "utf8", signal }), "text")
      const done = AbortSignal.abort("enough")
      for (const call of [
        () => fs.readFile("/file", { signal: done }),
        () => fs.writeFile("/file", "other", { signal: done }),
        () => fs.appendFile("/file", "other", { signal: done })
      ]) {
        const failure = await failureOf(call())
        assert.deepInclude(failure, { name: "AbortError", code: "ABORT_ERR", cause: "enough" })
      }
      assert.strictEqual(await fs.readFile("/file", "utf8"), "text")
    }))

  it("ends a call that waits", () => {
    let goOn: () => void = () => {}
    const gate = new Promise<Uint8Array>((resolve) => (goOn = () => resolve(new Uint8Array(0))))
    return withShared({ ...memory(), read: () => Effect.promise(() => gate) }, async (shared) => {
      const fs = toFs(shared)
      await fs.writeFile("/file", "text")
      const stop = new AbortController()
      const reading = fs.readFile("/file", { signal: stop.signal })
      await new Promise((resolve) => setImmediate(resolve))
      stop.abort()
      const failure = await failureOf(reading)
      assert.deepInclude(failure, { name: "AbortError" })
      goOn()
    })
  })
})
