/** Checkpoints, resets and forks of a branch. */
import { assert, describe, it } from "@effect/vitest"
import * as Effect from "effect/Effect"
import * as fc from "fast-check"
import * as fs from "node:fs"
import { basename, dirname, join } from "node:path"
import { branchFile, listBranches, openBranch, openWorkspace, removeLeftOvers, workspace } from "../../src/index.ts"
import { bytes, makeKernel, rootNode } from "../posix/kernel.ts"
import { newPlaces, type Places } from "./places.ts"
import { fillBase, makeClock, type Step, step, subject } from "./randomCalls.ts"

const onBranch = <A, E>({ base, store }: Places, body: (tested: ReturnType<typeof subject>) => Effect.Effect<A, E>) =>
  Effect.scoped(Effect.flatMap(workspace(base, { store, clock: makeClock() }), (backend) => body(subject(backend))))

const opened = <A, E>({ base, store }: Places, body: (branch: OpenBranch) => Effect.Effect<A, E>) =>
  Effect.scoped(Effect.flatMap(openBranch(base, store), body))

type OpenBranch = Effect.Success<ReturnType<typeof openBranch>>

const addFile = (places: Places, name: string) =>
  Effect.scoped(
    Effect.flatMap(workspace(places.base, { store: places.store }), (backend) => {
      const kernel = makeKernel(backend)
      return Effect.flatMap(kernel.create({ nodeid: rootNode, name }), ({ nodeid }) =>
        Effect.as(kernel.write(nodeid, 0, bytes(name)), nodeid)
      )
    })
  )

const names = (places: Places) =>
  opened(places, ({ diff }) =>
    Effect.map(diff, (changes) => changes.map(({ path }) => String(path)).filter((path) => path !== "."))
  )

/** A branch's store in a directory of branches. */
const named = ({ base, store }: Places, name: string): Places => ({ base, store: branchFile(dirname(store), name) })

describe("a branch that is reset", () => {
  it.live("is as it was at its checkpoint, whatever was done before and since", () =>
    Effect.promise(() =>
      fc.assert(
        fc.asyncProperty(
          fc.array(step, { maxLength: 20 }),
          fc.array(step, { maxLength: 20 }),
          (before: ReadonlyArray<Step>, since: ReadonlyArray<Step>) =>
            Effect.runPromise(
              Effect.scoped(
                Effect.gen(function* () {
                  const places = yield* newPlaces
                  fillBase(places.base)
                  const act = (steps: ReadonlyArray<Step>) =>
                    onBranch(places, (tested) =>
                      Effect.andThen(
                        Effect.forEach(steps, (given) => Effect.ignore(tested.act(given))),
                        tested.walk
                      )
                    )
                  const untouched = yield* act([])
                  const expected = yield* act(before)
                  yield* opened(places, ({ checkpoint }) => checkpoint("green"))
                  yield* act(since)
                  yield* opened(places, ({ reset }) => reset("green"))
                  assert.deepStrictEqual(yield* act([]), expected)
                  yield* opened(places, ({ reset }) => reset())
                  assert.deepStrictEqual(yield* act([]), untouched)
                  assert.deepStrictEqual(yield* names(places), [])
                })
              )
            )
        ),
        { numRuns: Number(process.env["RUNS"] ?? 25) }
      )
    )
  )

  it.effect("gives out no number again, and keeps its log and its audit", () =>
    Effect.gen(function* () {
      const places = yield* newPlaces
      yield* addFile(places, "first")
      yield* opened(places, ({ checkpoint }) => checkpoint("green"))
      const second = yield* addFile(places, "second")
      yield* opened(places, ({ reset }) => reset("green"))
      assert.deepStrictEqual(yield* names(places), ["first"])
      assert.isAbove(Number(yield* addFile(places, "third")), Number(second))
      yield* opened(places, ({ audit, checkpoints, log }) =>
        Effect.gen(function* () {
          assert.deepStrictEqual(
            (yield* log).map(({ kind, name }) => [kind, name]),
            [
              ["reset", "green"],
              ["checkpoint", "green"]
            ]
          )
          assert.deepStrictEqual(yield* checkpoints, ["green"])
          const created = (yield* audit()).filter(({ op }) => op === "create")
          assert.deepStrictEqual(
            created.map(({ path }) => path),
            ["first", "second", "third"]
          )
        })
      )
    })
  )

  it.effect(
    "is refused to a checkpoint that is not there; and a checkpoint with a name that is taken, or is none",
    () =>
      Effect.gen(function* () {
        const places = yield* newPlaces
        yield* addFile(places, "file")
        yield* opened(places, (branch) =>
          Effect.gen(function* () {
            assert.include((yield* Effect.flip(branch.reset("green"))).message, "has no checkpoint green")
            yield* branch.checkpoint("green")
            assert.include((yield* Effect.flip(branch.checkpoint("green"))).message, "is there already")
            assert.include((yield* Effect.flip(branch.checkpoint("../x"))).message, "not a name for a checkpoint")
            assert.lengthOf(yield* branch.log, 1)
          })
        )
      })
  )
})

describe("a fork", () => {
  it.effect("of a fork of a fork holds what each of them held, and goes its own way", () =>
    Effect.gen(function* () {
      const places = yield* newPlaces
      const branches = [named(places, "b0")]
      for (let depth = 0; depth < 5; depth++) {
        const at = branches[depth] ?? places
        yield* addFile(at, `file${depth}`)
        const next = named(places, `b${depth + 1}`)
        yield* opened(at, ({ fork }) => fork(next.store))
        branches.push(next)
      }
      yield* addFile(named(places, "b2"), "later")
      assert.deepStrictEqual(yield* names(named(places, "b5")), ["file0", "file1", "file2", "file3", "file4"])
      assert.deepStrictEqual(yield* names(named(places, "b2")), ["file0", "file1", "file2", "later"])
      assert.deepStrictEqual(yield* names(named(places, "b0")), ["file0"])
      const log = yield* opened(named(places, "b2"), (branch) => branch.log)
      assert.deepStrictEqual(
        log.map(({ kind, name }) => [kind, name]),
        [
          ["fork", "b3"],
          ["fork", "b2"],
          ["fork", "b1"]
        ]
      )
    })
  )

  it.effect("of a checkpoint holds what that holds; over a branch that is there it is refused", () =>
    Effect.gen(function* () {
      const places = named(yield* newPlaces, "main")
      const made = yield* openWorkspace(places.base, { store: dirname(places.store) })
      yield* addFile(places, "first")
      yield* opened(places, ({ checkpoint }) => checkpoint("green"))
      yield* addFile(places, "second")
      yield* made.fork("main", "try-1", "green")
      assert.deepStrictEqual(yield* names(named(places, "try-1")), ["first"])
      assert.include((yield* Effect.flip(made.fork("main", "try-1"))).message, "is there already")
      assert.deepStrictEqual(yield* names(named(places, "try-1")), ["first"])
      yield* made.delete("try-1")
      assert.deepStrictEqual(
        (yield* made.branches).map(({ name }) => name),
        ["main"]
      )
    })
  )

  it.effect("that was killed leaves what is removed, and nothing that belongs to a branch is", () =>
    Effect.gen(function* () {
      const places = named(yield* newPlaces, "main")
      const home = dirname(places.store)
      yield* addFile(places, "first")
      yield* opened(places, ({ checkpoint }) => checkpoint("green"))
      const kept = fs.readdirSync(home).sort()
      const left = [
        "try-1.branch.new-4194305-0011aabb",
        "main.branch@red.new-4194305-0011aabb",
        "gone.branch-nodes",
        "gone.branch@green"
      ]
      for (const name of left) fs.writeFileSync(join(home, name), "")
      fs.writeFileSync(join(home, `try-2.branch.new-${process.pid}-0011aabb`), "")
      assert.deepStrictEqual(
        listBranches(home).map(({ name }) => name),
        ["main"]
      )
      assert.deepStrictEqual(yield* opened(places, ({ checkpoints }) => checkpoints), ["green"])
      assert.deepStrictEqual([...removeLeftOvers(home)].sort(), [...left].sort())
      assert.deepStrictEqual(
        fs.readdirSync(home).filter((name) => !name.startsWith("try-2")),
        kept
      )
      yield* opened(places, ({ compact }) => compact)
      assert.deepStrictEqual(yield* names(places), ["first"])
      assert.strictEqual(basename(places.store), "main.branch")
    })
  )
})
