/** A served folder that others change as well, on the real kernel. */
import { assert, describe, it } from "@effect/vitest"
import { passthrough, type PassthroughOptions } from "@bickford/backends"
import { type Backend, errnoNumbers } from "@bickford/session"
import * as Effect from "effect/Effect"
import * as fs from "node:fs"
import { tmpdir } from "node:os"
import { join } from "node:path"
import { serve } from "./inProcess.ts"

/** A folder with some files, served; `asked` counts how often the kernel wanted entries, `registered` holds what it has by id. */
const start = (options?: PassthroughOptions, takesPaths = true) => Effect.gen(function*() {
  const folder = yield* Effect.acquireRelease(
    Effect.sync(() => fs.mkdtempSync(join(tmpdir(), "bickford-passthrough-"))),
    (path) => Effect.sync(() => fs.rmSync(path, { recursive: true, force: true }))
  )
  for (const name of ["a", "b", "c"]) fs.writeFileSync(join(folder, name), name)
  const asked = { count: 0 }
  const registered = new Set<number>()
  const registrations = { count: 0 }
  const source = Effect.map(passthrough(folder, options), (backend): Backend => ({
    ...backend,
    init: (negotiated, connection) =>
      backend.init?.(negotiated, {
        ...connection,
        openBacking: (fd) => {
          // As a kernel that wants a file that is open.
          const id = !takesPaths && isPath(fd) ? -errnoNumbers.EBADF : connection.openBacking(fd)
          registrations.count++
          if (id > 0) registered.add(id)
          return id
        },
        closeBacking: (id) => {
          assert.isTrue(registered.delete(id), "it was there")
          return connection.closeBacking(id)
        }
      }) ?? Effect.void,
    readdir: (...args: Parameters<NonNullable<typeof backend.readdir>>) => {
      asked.count++
      return backend.readdir?.(...args) ?? Effect.die("no readdir")
    }
  }))
  const served = yield* serve(source)
  const list = Effect.map(served.run("ls", [served.mountpoint]), (text) => text.trim().split("\n").join(" "))
  return { ...served, folder, list, asked, registered, registrations }
})

const O_PATH = 0o10000000
const isPath = (fd: number): boolean => (parseInt(/^flags:\s*(\d+)/m.exec(fs.readFileSync(`/proc/self/fdinfo/${fd}`, "utf8"))?.[1] ?? "0", 8) & O_PATH) !== 0

const until = (condition: () => boolean) => Effect.repeat(Effect.sleep(5), { until: condition })

/** Waits until a change of the folder would show in its times, whatever clock they are of. */
const settled = (folder: string) => Effect.repeat(Effect.sleep(10), { until: () => Date.now() - fs.statSync(folder).ctimeMs > 60 })

describe("a served folder", { timeout: 60_000 }, () => {
  it.live("is listed from the kernel's memory as long as nobody has changed it, and as it is when somebody has", () =>
    Effect.gen(function*() {
      const { asked, folder, list, run, mountpoint } = yield* start()
      yield* settled(folder)
      assert.strictEqual(yield* list, "a b c")
      const once = asked.count
      assert.isAbove(once, 0)
      for (let i = 0; i < 3; i++) assert.strictEqual(yield* list, "a b c")
      assert.strictEqual(asked.count, once, "the kernel had it")
      const times = fs.statSync(folder)
      const changes: ReadonlyArray<readonly [change: () => unknown, then: string]> = [
        [() => fs.writeFileSync(join(folder, "d"), ""), "a b c d"],
        [() => fs.rmSync(join(folder, "a")), "b c d"],
        [() => fs.renameSync(join(folder, "b"), join(folder, "e")), "c d e"],
        [() => {
          fs.mkdirSync(join(folder, "f"))
          fs.utimesSync(folder, times.atime, times.mtime)
        }, "c d e f"]
      ]
      for (const wait of [false, true]) {
        for (const [change, then] of changes) {
          change()
          if (wait) yield* settled(folder)
          assert.strictEqual(yield* list, then)
          assert.strictEqual(yield* list, then)
        }
        fs.rmdirSync(join(folder, "f"))
        fs.rmSync(join(folder, "d"))
        fs.renameSync(join(folder, "e"), join(folder, "b"))
        fs.writeFileSync(join(folder, "a"), "")
      }
      yield* settled(folder)
      assert.strictEqual(yield* list, "a b c")
      yield* run("touch", [join(mountpoint, "mine")])
      assert.strictEqual(yield* list, "a b c mine")
    }))

  it.live("that changes while it is listed again and again is never listed as it was before", () =>
    Effect.gen(function*() {
      const { folder, list } = yield* start()
      yield* settled(folder)
      for (let i = 0; i < 60; i++) {
        const name = `n${String(i).padStart(2, "0")}`
        fs.writeFileSync(join(folder, name), "")
        assert.include(yield* list, name)
        fs.rmSync(join(folder, name))
        assert.notInclude(yield* list, name)
      }
    }))

  it.live("is registered with the kernel, a file once, as long as its descriptor is held", () =>
    Effect.gen(function*() {
      const { folder, mountpoint, registered, registrations, run } = yield* start({ maxDescriptors: 4 })
      const at = (name: string) => join(mountpoint, name)
      for (let i = 0; i < 4; i++) assert.strictEqual(yield* run("cat", [at("a")]), "a")
      assert.deepStrictEqual([registrations.count, registered.size], [1, 1])
      // Whoever writes to it and has closed it holds nothing more against those who use the folder itself.
      yield* run("sh", ["-c", 'cp /bin/true "$1" && echo >>"$1" && chmod 755 "$1" && "$1" && "$2" && echo more >>"$1" && "$2"', "sh", at("program"), join(folder, "program")])
      yield* run("sh", ["-c", 'echo text >"$1" && cat "$1" && echo more >>"$1" && cat "$1" "$2"', "sh", at("b"), join(folder, "b")]).pipe(
        Effect.map((text) => assert.strictEqual(text, "text\ntext\nmore\ntext\nmore\n")))
      assert.strictEqual(yield* run("stat", ["--format=%s", at("b")]), "10\n")
      for (let i = 0; i < 20; i++) fs.writeFileSync(join(folder, `many${i}`), String(i))
      for (let i = 0; i < 20; i++) assert.strictEqual(yield* run("cat", [at(`many${i}`)]), String(i))
      yield* run("ls", ["-l", mountpoint])
      assert.isAtMost(registered.size, 5, "no more than descriptors are held")
      yield* run("rm", ["-r", at("a"), at("b"), at("c"), at("program"), ...Array.from({ length: 20 }, (_, i) => at(`many${i}`))])
      yield* until(() => registered.size === 0)
    }))

  it.live("is registered while it is open, where the kernel takes no descriptor that is none of an open file", () =>
    Effect.gen(function*() {
      const { mountpoint, registered, registrations, run } = yield* start({}, false)
      for (let i = 0; i < 3; i++) {
        assert.strictEqual(yield* run("cat", [join(mountpoint, "a")]), "a")
        yield* until(() => registered.size === 0)
      }
      assert.strictEqual(registrations.count, 4, "asked for the other way once, and then no more")
    }))
})
