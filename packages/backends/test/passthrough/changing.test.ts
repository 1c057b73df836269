/** What the kernel is told to keep of a served directory that others change; cookies; descriptors of filesystems below. */
import { assert, describe, it } from "@effect/vitest"
import type { U64 } from "@bickford/protocol"
import { openReplyFlags } from "@bickford/protocol"
import { requestContext } from "@bickford/session/testing"
import * as Effect from "effect/Effect"
import { execFileSync } from "node:child_process"
import * as fs from "node:fs"
import { tmpdir } from "node:os"
import { join } from "node:path"
import { passthrough } from "../../src/index.ts"
import { makeKernel, rootNode } from "../posix/kernel.ts"
import { start } from "./servedFolder.ts"

const { FOPEN_CACHE_DIR, FOPEN_KEEP_CACHE } = openReplyFlags

/** A directory on a filesystem of its own, for the life of the scope. */
const mounted = (...args: ReadonlyArray<string>) =>
  Effect.acquireRelease(
    Effect.sync(() => {
      const folder = fs.realpathSync(fs.mkdtempSync(join(tmpdir(), "bickford-passthrough-")))
      execFileSync("mount", [...args, folder])
      return folder
    }),
    (folder) =>
      Effect.sync(() => {
        execFileSync("umount", ["-l", folder])
        fs.rmdirSync(folder)
      })
  )

/** ext4 with inodes of 128 bytes: its times are whole seconds. */
const coarse = Effect.gen(function* () {
  const image = yield* Effect.acquireRelease(
    Effect.sync(() => join(fs.mkdtempSync(join(tmpdir(), "bickford-image-")), "image")),
    (path) => Effect.sync(() => fs.rmSync(join(path, ".."), { recursive: true }))
  )
  execFileSync("truncate", ["--size=8M", image])
  execFileSync("mkfs.ext4", ["-q", "-I", "128", "-O", "^has_journal", image])
  return yield* mounted("-o", "loop", image)
})

const serving = Effect.fnUntraced(function* (served: string) {
  const backend = yield* passthrough(served, { kernelPassthrough: false })
  return { backend, kernel: makeKernel(backend), served }
})

type Serving = Effect.Success<ReturnType<typeof serving>>

const header = { unique: 2, nodeid: rootNode, uid: 0, gid: 0, pid: 1 }

/** Opens the root, and closes it: what the kernel is told of its list. */
const openRoot = Effect.fnUntraced(function* ({ backend }: Serving) {
  const opened = yield* (
    backend.opendir?.({ op: "opendir", ...header, flags: 0, openFlags: 0 }, requestContext()) ??
    Effect.die("no opendir")
  )
  yield* (
    backend.releasedir?.(
      { op: "releasedir", ...header, fh: opened.fh, flags: 0, releaseFlags: 0, lockOwner: 0 },
      requestContext()
    ) ?? Effect.die("no releasedir")
  )
  return opened.openFlags & (FOPEN_CACHE_DIR | FOPEN_KEEP_CACHE)
})

/** Opens a file, and closes it: whether the kernel may use the pages that it has. */
const keepsPages = Effect.fnUntraced(function* ({ kernel }: Serving, nodeid: U64) {
  const { fh, openFlags } = yield* kernel.open({ nodeid })
  yield* kernel.release({ nodeid, fh })
  return (openFlags & FOPEN_KEEP_CACHE) !== 0
})

describe("a served directory that others change", () => {
  it.live("is not kept while a change could have the same times, where these are whole seconds", () =>
    Effect.gen(function* () {
      const serve = yield* serving(yield* coarse)
      fs.writeFileSync(join(serve.served, "a"), "")
      const changed = Date.now()
      let flags = yield* openRoot(serve)
      assert.strictEqual(flags, 0)
      while (flags === 0) {
        yield* Effect.sleep(20)
        flags = yield* openRoot(serve)
      }
      assert.isAtLeast(Date.now() - changed, 1000, "a second has passed")
      assert.strictEqual(flags, FOPEN_CACHE_DIR)
      assert.strictEqual(yield* openRoot(serve), FOPEN_CACHE_DIR | FOPEN_KEEP_CACHE)
      fs.writeFileSync(join(serve.served, "b"), "")
      assert.strictEqual(yield* openRoot(serve), 0)
    })
  )

  it.live("has its files read anew when they were written with the same size and mtime", () =>
    Effect.gen(function* () {
      const serve = yield* start()
      const path = join(serve.served, "file")
      const write = (text: string) => {
        fs.writeFileSync(path, text)
        fs.utimesSync(path, 5, 5)
      }
      write("1111")
      const { nodeid } = yield* serve.kernel.lookup(rootNode, "file")
      // What was written a moment ago may be written again with the same times.
      yield* Effect.repeat(keepsPages(serve, nodeid), { until: (keeps) => keeps })
      write("2222")
      assert.isFalse(yield* keepsPages(serve, nodeid))
    })
  )

  it.live("is listed with cookies of 31 bits, each of which leads on from its entry", () =>
    Effect.gen(function* () {
      const { backend, kernel, served } = yield* start()
      for (let i = 0; i < 1500; i++) fs.writeFileSync(join(served, `file${i}`), "")
      const open = Effect.map(
        backend.opendir?.({ op: "opendir", ...header, flags: 0, openFlags: 0 }, requestContext()) ??
          Effect.die("no opendir"),
        ({ fh }) =>
          (offset: U64) =>
            Effect.map(
              backend.readdir?.(
                { op: "readdir", ...header, fh, offset, size: 4096, readFlags: 0, flags: 0, lockOwner: 0 },
                requestContext()
              ) ?? Effect.die("no readdir"),
              (entries) => [...entries]
            )
      )
      const list = yield* open
      const all: Array<{ readonly name: string; readonly off: U64 }> = []
      for (let offset: U64 = 0; ;) {
        const part = yield* list(offset)
        if (part.length === 0) break
        all.push(...part.map(({ name, off }) => ({ name: String(name), off })))
        offset = all.at(-1)?.off ?? 0
      }
      assert.strictEqual(new Set(all.map(({ name }) => name)).size, 1502)
      for (const { off } of all) assert.isTrue(typeof off === "number" && off <= 0x7fffffff)
      // In the same listing and, as where the kernel has kept the list, in one that has read nothing yet.
      for (const at of [1400, 0, 700, 1501, 3]) {
        const { off = 0 } = all[at] ?? {}
        for (const seek of [list, yield* open]) {
          assert.strictEqual((yield* seek(off))[0]?.name, all[at + 1]?.name)
        }
      }
      assert.isAtMost(Number((yield* kernel.statfs()).files), 0xffffffff)
    })
  )

  it.live("does not keep a filesystem below from being unmounted", () =>
    Effect.gen(function* () {
      const { kernel, served } = yield* start()
      fs.mkdirSync(join(served, "below"))
      yield* Effect.acquireRelease(
        Effect.sync(() => execFileSync("mount", ["-t", "tmpfs", "none", join(served, "below")])),
        () =>
          Effect.sync(() => execFileSync("sh", ["-c", 'umount -l "$1" 2>/dev/null || :', "sh", join(served, "below")]))
      )
      fs.writeFileSync(join(served, "below", "file"), "text")
      const below = yield* kernel.lookup(rootNode, "below")
      const file = yield* kernel.lookup(below.nodeid, "file")
      const unmount = Effect.try(() => execFileSync("umount", [join(served, "below")], { stdio: "pipe" }))
      assert.strictEqual((yield* Effect.exit(unmount))._tag, "Failure", "it is held")
      yield* Effect.repeat(Effect.andThen(Effect.sleep(50), Effect.exit(unmount)), {
        until: (exit) => exit._tag === "Success"
      })
      assert.strictEqual((yield* Effect.flip(kernel.getattr(file.nodeid)))._tag, "ESTALE")
    })
  )
})
