/** What a branch tells of its changes, and what becomes of the base when they are committed. */
import { assert, describe, it } from "@effect/vitest"
import * as Effect from "effect/Effect"
import * as Exit from "effect/Exit"
import { execFile } from "node:child_process"
import * as fc from "fast-check"
import * as fs from "node:fs"
import { join } from "node:path"
import { type Change, openBranch, workspace } from "../../src/index.ts"
import { bytes, makeKernel, rootNode } from "../posix/kernel.ts"
import { newPlaces, type Places } from "./places.ts"
import { fillBase, makeClock, type Step, step, subject } from "./randomCalls.ts"

/** Runs calls on a branch, and unmounts it. */
const onBranch = <A, E>({ base, store }: Places, body: (tested: ReturnType<typeof subject>) => Effect.Effect<A, E>) =>
  Effect.scoped(Effect.flatMap(workspace(base, { store, clock: makeClock() }), (backend) => body(subject(backend))))

const onKernel = <A, E>(
  { base, store }: Places,
  body: (kernel: ReturnType<typeof makeKernel>) => Effect.Effect<A, E>
) => Effect.scoped(Effect.flatMap(workspace(base, { store }), (backend) => body(makeKernel(backend))))

const diffOf = ({ base, store }: Places) => Effect.scoped(Effect.flatMap(openBranch(base, store), ({ diff }) => diff))

const shown = (changes: ReadonlyArray<Change>): ReadonlyArray<string> =>
  changes
    .filter(({ path }) => path !== ".")
    .map(({ from, kind, path, type, what }) =>
      [kind, String(path), ...(from === undefined ? [] : [`from ${String(from)}`]), type, what.join("+")]
        .join(" ")
        .trim()
    )

const commit = ({ base, store }: Places, onConflict: "fail" | "ours" | "theirs" = "fail") =>
  Effect.scoped(Effect.flatMap(openBranch(base, store), (branch) => branch.commit({ onConflict })))

const lookup = (kernel: ReturnType<typeof makeKernel>, path: string) =>
  Effect.gen(function* () {
    let node = rootNode
    for (const name of path.split("/")) node = Number((yield* kernel.lookup(node, name)).nodeid)
    return node
  })

describe("a diff", () => {
  it.effect("tells what was added, removed, renamed and changed, and how", () =>
    Effect.gen(function* () {
      const places = yield* newPlaces
      fillBase(places.base)
      yield* onKernel(places, (kernel) =>
        Effect.gen(function* () {
          const a = yield* lookup(kernel, "a")
          yield* kernel.write(yield* lookup(kernel, "a/a"), 100_000, bytes("x"))
          yield* kernel.rename(a, "b", rootNode, "moved")
          yield* kernel.rename(rootNode, "d", a, "inside")
          yield* kernel.unlink(rootNode, "c")
          yield* kernel.mkdir({ name: "made" })
          yield* kernel.create({ nodeid: yield* lookup(kernel, "made"), name: "new" })
          yield* kernel.setattr({ nodeid: yield* lookup(kernel, "a/c/d"), valid: 1, mode: 0o600 })
          // Changed, and as it was.
          const again = yield* lookup(kernel, "a/inside/d")
          yield* kernel.create({ nodeid: again, name: "temporary" })
          yield* kernel.unlink(again, "temporary")
        })
      )
      assert.deepStrictEqual(shown(yield* diffOf(places)), [
        "changed a/a file content+times",
        "changed a/c/d file mode",
        "renamed a/inside from d directory",
        "removed c symlink",
        "added made directory",
        "added made/new file",
        "renamed moved from a/b file"
      ])
    })
  )

  it.effect("of a file that was written with what it has is none of content", () =>
    Effect.gen(function* () {
      const places = yield* newPlaces
      fs.writeFileSync(join(places.base, "file"), "text")
      yield* onKernel(places, (kernel) =>
        Effect.flatMap(lookup(kernel, "file"), (node) => kernel.write(node, 0, bytes("text")))
      )
      assert.deepStrictEqual(shown(yield* diffOf(places)), ["changed file file times"])
    })
  )
})

describe("a commit", () => {
  it.live("makes the base what the branch was, whatever was done", () =>
    Effect.gen(function* () {
      const check = (steps: ReadonlyArray<Step>): Effect.Effect<void, unknown> =>
        Effect.scoped(
          Effect.gen(function* () {
            const places = yield* newPlaces
            fillBase(places.base)
            const before = yield* onBranch(places, ({ act, walk }) =>
              Effect.andThen(
                Effect.forEach(steps, (given) => Effect.exit(act(given)), { discard: true }),
                walk
              )
            )
            const changes = yield* diffOf(places)
            yield* commit(places)
            assert.deepStrictEqual(
              fs.readdirSync(places.base).filter((name) => name.startsWith(".")),
              []
            )
            assert.deepStrictEqual(yield* onBranch(places, ({ walk }) => walk), before, JSON.stringify(shown(changes)))
            assert.deepStrictEqual(shown(yield* diffOf(places)), [])
          })
        )
      yield* Effect.promise(() =>
        fc.assert(
          fc.asyncProperty(fc.array(step, { minLength: 3, maxLength: 40 }), (steps) => Effect.runPromise(check(steps))),
          { numRuns: Number(process.env["RUNS"] ?? 60) }
        )
      )
    })
  )

  it.effect("is refused where the base has changed in the same place, and does as it is told", () =>
    Effect.gen(function* () {
      const prepare = Effect.gen(function* () {
        const places = yield* newPlaces
        const { base } = places
        fs.mkdirSync(join(base, "dir"))
        for (const name of ["dir/a", "dir/b", "changed", "removed", "mine"]) fs.writeFileSync(join(base, name), "old")
        yield* onKernel(places, (kernel) =>
          Effect.gen(function* () {
            for (const name of ["changed", "mine"]) yield* kernel.write(yield* lookup(kernel, name), 0, bytes("our"))
            yield* kernel.unlink(rootNode, "removed")
            const dir = yield* lookup(kernel, "dir")
            for (const name of ["a", "b"]) {
              const node = yield* lookup(kernel, `dir/${name}`)
              yield* kernel.unlink(dir, name)
              kernel.forget(node)
            }
            yield* kernel.rmdir(rootNode, "dir")
            yield* kernel.write((yield* kernel.create({ name: "added" })).nodeid, 0, bytes("our"))
          })
        )
        fs.writeFileSync(join(base, "changed"), "theirs")
        fs.writeFileSync(join(base, "removed"), "theirs")
        fs.writeFileSync(join(base, "added"), "theirs")
        fs.writeFileSync(join(base, "dir/late"), "theirs")
        return places
      })
      const content = ({ base }: Places) =>
        ["changed", "removed", "added", "dir/late", "dir/a", "mine"].map((name) =>
          fs.existsSync(join(base, name)) ? fs.readFileSync(join(base, name), "utf8") : ""
        )
      const places = yield* prepare
      const failed = yield* Effect.exit(commit(places))
      assert.isTrue(Exit.isFailure(failed))
      const message = JSON.stringify(failed)
      for (const path of ["added", "changed", "dir/late", "removed"]) assert.include(message, `"${path}"`)
      assert.notInclude(message, `"mine"`)
      assert.deepStrictEqual(content(places), ["theirs", "theirs", "theirs", "theirs", "old", "old"])
      yield* commit(places, "theirs")
      assert.deepStrictEqual(content(places), ["theirs", "theirs", "theirs", "theirs", "old", "our"])
      const other = yield* prepare
      yield* commit(other, "ours")
      assert.deepStrictEqual(content(other), ["our", "", "our", "", "", "our"])
    })
  )

  it.effect("never mixes a file's content with what the base has become, whoever's is to count", () =>
    Effect.gen(function* () {
      const places = yield* newPlaces
      const file = join(places.base, "file")
      fs.writeFileSync(file, "old".repeat(100_000))
      yield* onKernel(places, (kernel) =>
        Effect.flatMap(lookup(kernel, "file"), (node) => kernel.write(node, 100_000, bytes("our")))
      )
      const theirs = "new".repeat(100_000)
      fs.writeFileSync(file, theirs)
      const failed = yield* Effect.flip(commit(places, "ours"))
      assert.include(failed.message, "file is changed here in part, and the base's has changed as well")
      assert.isTrue(fs.readFileSync(file, "utf8") === theirs)
      assert.deepStrictEqual(fs.readdirSync(places.base), ["file"])
      // Nothing was lost: the change is on the branch still.
      const again = yield* Effect.flip(commit(places))
      assert.include(again.message, "file (changed)")
    })
  )

  it.effect("keeps other names of a base file its names", () =>
    Effect.gen(function* () {
      const places = yield* newPlaces
      const { base } = places
      fs.writeFileSync(join(base, "one"), "text")
      fs.linkSync(join(base, "one"), join(base, "two"))
      yield* onKernel(places, (kernel) =>
        Effect.gen(function* () {
          const node = yield* lookup(kernel, "one")
          yield* kernel.write(node, 0, bytes("T"))
          yield* kernel.link(node, rootNode, "a-third")
        })
      )
      yield* commit(places)
      assert.strictEqual(fs.readFileSync(join(base, "two"), "utf8"), "Text")
      assert.strictEqual(fs.statSync(join(base, "a-third")).ino, fs.statSync(join(base, "two")).ino)
    })
  )
})

/** Commits in a process of its own, which kills itself at a point; `end` when there is no such point any more. */
const commitKilledAt = ({ base, store }: Places, point: number): Promise<string> =>
  new Promise((resolve) => {
    const program = join(import.meta.dirname, "killedCommit.ts")
    const args = ["--conditions=development", "--disable-warning=ExperimentalWarning", program, base, store, `${point}`]
    execFile(process.execPath, args, (error, stdout, stderr) =>
      resolve(error === null ? stdout.trim() : error.signal === "SIGKILL" ? "killed" : stderr)
    )
  })

describe("a commit that is killed", () => {
  it.live("at any of its points leaves the old tree or, after the next start, the new one", () =>
    Effect.gen(function* () {
      const prepare = Effect.gen(function* () {
        const places = yield* newPlaces
        fillBase(places.base)
        const old = yield* onBranch({ ...places, store: `${places.store}-old` }, ({ walk }) => walk)
        yield* onKernel(places, (kernel) =>
          Effect.gen(function* () {
            const a = yield* lookup(kernel, "a")
            yield* kernel.write(yield* lookup(kernel, "a/a"), 100_000, bytes("x"))
            yield* kernel.rename(rootNode, "d", a, "inside")
            yield* kernel.unlink(rootNode, "c")
            yield* kernel.mkdir({ name: "made" })
            const made = yield* kernel.create({ nodeid: yield* lookup(kernel, "made"), name: "new" })
            yield* kernel.link(made.nodeid, rootNode, "second")
            yield* kernel.setattr({ nodeid: yield* lookup(kernel, "a/c/d"), valid: 1, mode: 0o600 })
          })
        )
        const made = yield* onBranch(places, ({ walk }) => walk)
        return { places, old, made }
      })
      const states: Array<string> = []
      for (let point = 0; ; point++) {
        const ended = yield* Effect.scoped(
          Effect.gen(function* () {
            const { made, old, places } = yield* prepare
            const said = yield* Effect.promise(() => commitKilledAt(places, point))
            if (said !== "killed") return said
            // The next start.
            const left = yield* diffOf(places)
            assert.deepStrictEqual(
              fs.readdirSync(places.base).filter((name) => name.startsWith(".")),
              [],
              `point ${point}`
            )
            const base = yield* onBranch({ ...places, store: `${places.store}-after` }, ({ walk }) => walk)
            const isOld = shown(left).length > 0
            assert.deepStrictEqual(base, isOld ? old : made, `point ${point}`)
            states.push(isOld ? "old" : "new")
            return undefined
          })
        )
        if (ended !== undefined) {
          assert.strictEqual(ended, "end")
          break
        }
      }
      assert.isAbove(states.length, 10)
      // Once it is new it is never old again.
      assert.deepStrictEqual(states, [...states].sort().reverse())
    })
  )
})
