/** A source at or below its own mountpoint, and a mountpoint inside its own source: what lies underneath is served, or it is refused. */
import { assert, describe, it } from "@effect/vitest"
import { passthrough, sqlite } from "@bickford/backends"
import { mount } from "@bickford/session"
import { findMount } from "@bickford/transport"
import * as Deferred from "effect/Deferred"
import * as Effect from "effect/Effect"
import { existsSync, mkdirSync, symlinkSync, writeFileSync } from "node:fs"
import { join } from "node:path"
import { inspect } from "node:util"
import { mountConfig, startDaemon, until, workFolder } from "../daemon/daemon.ts"
import { bickford, start } from "./bickford.ts"
import { commandsOn, mountpointFolder } from "./inProcess.ts"

/** A directory `place` with a file, a directory `inner` in it, and a link to it beside it. */
const prepared = Effect.gen(function* () {
  const place = yield* mountpointFolder
  mkdirSync(join(place, "inner"))
  writeFileSync(join(place, "inner", "file"), "inner")
  writeFileSync(join(place, "file"), "text")
  const folder = yield* workFolder
  const link = join(folder, "link")
  symlinkSync(place, link)
  return { place, inner: join(place, "inner"), folder, link, ...commandsOn(place) }
})

const unmounted = (place: string) => Effect.addFinalizer(() => commandsOn(place).attempt("umount", ["-l", place]))

/** Serves with the `bickford` program for the life of the scope. */
const served = (source: string, place: string) =>
  Effect.acquireRelease(
    Effect.promise(() => start(place, [], source)),
    ({ end, server }) =>
      Effect.promise(() => {
        server.kill("SIGTERM")
        return end()
      })
  )

const listing = "inner/file\nfile\n"
const list = 'cd "$1" && find . -type f | sed "s#^./##" | sort -r && echo more >>file && rm file && echo text >file'

describe("bickford mount", () => {
  it.live("serves what lies underneath its own mountpoint", () =>
    Effect.gen(function* () {
      const { folder, link, place, run } = yield* prepared
      for (const source of [place, link]) {
        yield* Effect.scoped(
          Effect.andThen(served(`passthrough:${source}`, place), run("sh", ["-c", list, "sh", place]))
        ).pipe(Effect.map((text) => assert.strictEqual(text, listing)))
        assert.isUndefined(findMount(place))
      }
      yield* Effect.scoped(
        Effect.andThen(served(`passthrough:${join(link, "inner")}`, place), run("ls", [place]))
      ).pipe(Effect.map((text) => assert.strictEqual(text, "file\n")))
      assert.isTrue(existsSync(folder))
    })
  )

  it.live("shows what lies underneath a mountpoint inside its source", () =>
    Effect.gen(function* () {
      const { inner, place, run } = yield* prepared
      yield* unmounted(inner)
      yield* served(`passthrough:${place}`, inner)
      const { run: runInner } = commandsOn(inner)
      assert.strictEqual(yield* runInner("sh", ["-c", list, "sh", inner]), listing)
      assert.strictEqual(yield* runInner("cat", [join(inner, "inner", "file")]), "inner")
      assert.strictEqual(yield* run("cat", [join(place, "file")]), "text\n")
    })
  )

  it.live("refuses a store that its mount would hide, before it makes one", () =>
    Effect.gen(function* () {
      const { inner, link, place } = yield* prepared
      for (const store of [join(place, "store"), join(inner, "store"), join(link, "store")]) {
        const { status, stderr } = yield* Effect.promise(() => bickford(["mount", `sqlite:${store}`, place]))
        assert.strictEqual(status, 1)
        assert.include(stderr, `lies at or below the mountpoint ${place}`)
        assert.isFalse(existsSync(store))
      }
      assert.isUndefined(findMount(place))
    })
  )
})

describe("mount", () => {
  it.live("serves what lies underneath, also when the backend is started again", () =>
    Effect.gen(function* () {
      const { place, run } = yield* prepared
      const failing = yield* Deferred.make<never, string>()
      let starts = 0
      const backend = Effect.map(passthrough(place), (instance) => {
        starts++
        return starts === 1 ? { ...instance, run: Deferred.await(failing) } : instance
      })
      yield* mount({ mountpoint: place, backend })
      assert.strictEqual(yield* run("sh", ["-c", list, "sh", place]), listing)
      yield* Deferred.fail(failing, "as if it had failed")
      yield* Effect.repeat(Effect.sleep(5), { until: () => starts === 2 })
      assert.strictEqual(yield* run("sh", ["-c", list, "sh", place]), listing)
    })
  )

  it.live("serves what lies underneath when a symlink leads there", () =>
    Effect.gen(function* () {
      const { link, place, run } = yield* prepared
      yield* mount({ mountpoint: place, backend: passthrough(link) })
      assert.strictEqual(yield* run("sh", ["-c", list, "sh", place]), listing)
    })
  )

  it.live("says that a store is hidden by its mount", () =>
    Effect.gen(function* () {
      const { place } = yield* prepared
      const error = yield* Effect.flip(mount({ mountpoint: place, backend: sqlite(join(place, "store")) }))
      assert.include(inspect(error, { depth: 10 }), `lies at or below the mountpoint ${place}`)
      assert.isUndefined(findMount(place))
    })
  )
})

/** A bind mount for the life of the scope. */
const bound = (from: string, to: string) =>
  Effect.acquireRelease(commandsOn(from).run("mount", ["--bind", from, to]), () =>
    commandsOn(to).attempt("umount", ["-l", to])
  )

/** Binds a mount, a directory and a file of it inside the directory `place` that it serves, and uses it then. */
const withinItself = Effect.fnUntraced(function* (place: string, mountpoint: string) {
  const { attempt, run } = commandsOn(mountpoint)
  for (const [from, to] of [
    ["", "inner/whole"],
    ["inner", "inner/part"],
    ["file", "inner/one"]
  ] as const) {
    if (from === "file") writeFileSync(join(place, to), "")
    else mkdirSync(join(place, to))
    yield* bound(join(mountpoint, from), join(place, to))
    const met = yield* attempt("stat", [join(mountpoint, to)])
    assert.include(met.stderr, "Resource deadlock avoided", to)
  }
  const names = yield* run("sh", ["-c", 'find "$1" 2>/dev/null | sed "s#^$1##" | sort', "sh", mountpoint])
  assert.strictEqual(names, "\n/file\n/inner\n/inner/file\n/inner/one\n/inner/part\n/inner/whole\n")
  // They are mountpoints: nothing takes their names away, or puts something in their place.
  for (const change of ["rmdir whole", "mkdir part", "echo text >one", "mv file one", "ln file one", "rm one"]) {
    const { status } = yield* attempt("sh", ["-c", `cd "$1/inner" && ${change}`, "sh", mountpoint])
    assert.notStrictEqual(status, 0, change)
  }
  assert.strictEqual(yield* run("cat", [join(mountpoint, "inner", "file")]), "inner")
  assert.isDefined(findMount(mountpoint))
})

describe("a mount that is bound inside its own source", () => {
  it.live("lives on, served by a program", () =>
    Effect.gen(function* () {
      const { place } = yield* prepared
      const mountpoint = yield* mountpointFolder
      yield* mount({ mountpoint, backend: passthrough(place) })
      yield* withinItself(place, mountpoint)
    })
  )

  it.live("lives on, served by a daemon", () =>
    Effect.gen(function* () {
      const { folder, place } = yield* prepared
      const mountpoint = yield* mountpointFolder
      const daemon = yield* startDaemon(folder, [mountConfig("data", `passthrough:${place}`, mountpoint)])
      yield* Effect.promise(() => daemon.reaches("data", "running"))
      yield* withinItself(place, mountpoint)
    })
  )
})

describe("a daemon", () => {
  it.live("serves what lies underneath, by one worker after another", () =>
    Effect.gen(function* () {
      const { folder, place, run } = yield* prepared
      const daemon = yield* startDaemon(folder, [mountConfig("data", `passthrough:${place}`, place)])
      for (let worker = 0; worker < 2; worker++) {
        const { pid } = yield* Effect.promise(() => daemon.reaches("data", "running"))
        assert.strictEqual(yield* run("sh", ["-c", list, "sh", place]), listing)
        if (pid !== undefined) process.kill(pid, "SIGKILL")
        yield* Effect.promise(() =>
          until(async () => ((await daemon.mount("data")).restarts > worker ? true : undefined), "another worker")
        )
      }
    })
  )

  it.live("tries new code, and another configuration, past the mount that serves", () =>
    Effect.gen(function* () {
      const { folder, place, run } = yield* prepared
      const served = (options: ReadonlyArray<string>) => mountConfig("data", `passthrough:${place}`, place, { options })
      const daemon = yield* startDaemon(folder, [served([])])
      const before = yield* Effect.promise(() => daemon.reaches("data", "running"))
      yield* Effect.promise(() => daemon.post("/mounts/data/restart"))
      const between = yield* Effect.promise(() => daemon.reaches("data", "running"))
      assert.notStrictEqual(between.pid, before.pid)
      assert.strictEqual(yield* run("sh", ["-c", list, "sh", place]), listing)
      yield* Effect.promise(() => daemon.configure([served(["attr_timeout=0"])]))
      yield* Effect.promise(() => daemon.post("/reload"))
      const after = yield* Effect.promise(() => daemon.reaches("data", "running"))
      assert.notStrictEqual(after.pid, between.pid)
      assert.strictEqual(yield* run("sh", ["-c", list, "sh", place]), listing)
    })
  )
})
