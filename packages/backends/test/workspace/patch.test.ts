/** What a branch has changed, as a patch that git takes. */
import { assert, describe, it } from "@effect/vitest"
import * as Effect from "effect/Effect"
import * as fc from "fast-check"
import { execFile } from "node:child_process"
import * as fs from "node:fs"
import { dirname, join, relative } from "node:path"
import { type FileStat, openBranch, workspace } from "../../src/index.ts"
import { RENAME_EXCHANGE } from "../../src/posix/linux.ts"
import { bytes, makeKernel, rootNode } from "../posix/kernel.ts"
import { newPlaces, type Places } from "./places.ts"
import { fillBase, makeClock, type Step, step, subject } from "./randomCalls.ts"

/** What git knows of a directory: regular files, whether they can be executed, and symlinks. */
const gitTree = (directory: string): ReadonlyArray<string> =>
  fs
    .readdirSync(directory, { recursive: true, encoding: "utf8" })
    .sort()
    .flatMap((name) => {
      const path = join(directory, name)
      const { mode } = fs.lstatSync(path)
      if ((mode & 0o170000) === 0o120000) return [`${name} -> ${fs.readlinkSync(path)}`]
      if ((mode & 0o170000) !== 0o100000) return []
      return [`${name} ${(mode & 0o111) === 0 ? "" : "x"} ${fs.readFileSync(path).toString("base64")}`]
    })

/** A copy of a directory as git would check it out: without the directories that hold no file. */
const checkOut = (from: string, to: string): void => {
  for (const entry of fs.readdirSync(from, { withFileTypes: true, recursive: true })) {
    if (entry.isDirectory()) continue
    const source = join(entry.parentPath, entry.name)
    fs.cpSync(source, join(to, relative(from, source)), { recursive: true, verbatimSymlinks: true })
  }
}

const execute = (command: string, args: ReadonlyArray<string>, cwd: string): Promise<void> =>
  new Promise((resolve, reject) => {
    execFile(command, [...args], { cwd }, (error, _, stderr) =>
      error === null ? resolve() : reject(new Error(`${command}: ${stderr}`))
    )
  })

const onKernel = <A, E>(
  { base, store }: Places,
  body: (kernel: ReturnType<typeof makeKernel>) => Effect.Effect<A, E>
) => Effect.scoped(Effect.flatMap(workspace(base, { store }), (backend) => body(makeKernel(backend))))

const patchOf = ({ base, store }: Places) =>
  Effect.scoped(Effect.flatMap(openBranch(base, store), ({ patch }) => Effect.map(patch, (made) => Buffer.from(made))))

const statOf = ({ base, store }: Places): Effect.Effect<ReadonlyArray<FileStat>, unknown> =>
  Effect.scoped(Effect.flatMap(openBranch(base, store), ({ stat }) => stat))

describe("a patch", () => {
  it.effect("that puts a directory where a symlink was is taken", () =>
    Effect.gen(function* () {
      const places = yield* newPlaces
      fs.mkdirSync(join(places.base, "directory", "inner"), { recursive: true })
      fs.writeFileSync(join(places.base, "directory", "inner", "file"), "text\n")
      fs.symlinkSync("directory", join(places.base, "link"))
      const copy = join(dirname(places.base), "copy")
      fs.cpSync(places.base, copy, { recursive: true, verbatimSymlinks: true })
      yield* onKernel(places, (kernel) =>
        Effect.gen(function* () {
          const { nodeid } = yield* kernel.lookup(rootNode, "directory")
          yield* kernel.rename(rootNode, "link", nodeid, "inner", RENAME_EXCHANGE)
        })
      )
      const file = join(dirname(places.base), "patch")
      fs.writeFileSync(file, yield* patchOf(places))
      yield* Effect.promise(() => execute("git", ["apply", file], copy))
      assert.deepStrictEqual(gitTree(copy), ["directory/inner -> directory", `link/file  ${btoa("text\n")}`])
    })
  )

  for (const [link, file] of [
    ["a", "b"],
    ["b", "a"]
  ] as const)
    it.effect(`that has the symlink ${link} and the file ${file} change places is taken`, () =>
      Effect.gen(function* () {
        const places = yield* newPlaces
        fs.writeFileSync(join(places.base, file), "text\n")
        fs.symlinkSync("target", join(places.base, link))
        const copy = join(dirname(places.base), "copy")
        fs.cpSync(places.base, copy, { recursive: true, verbatimSymlinks: true })
        yield* onKernel(places, (kernel) => kernel.rename(rootNode, link, rootNode, file, RENAME_EXCHANGE))
        const patch = join(dirname(places.base), "patch")
        fs.writeFileSync(patch, yield* patchOf(places))
        yield* Effect.promise(() => execute("git", ["apply", patch], copy))
        assert.deepStrictEqual(gitTree(copy).toSorted(), [`${file} -> target`, `${link}  ${btoa("text\n")}`].sort())
      })
    )

  it.effect("tells of lines, of new and removed files, modes and renames", () =>
    Effect.gen(function* () {
      const places = yield* newPlaces
      fs.writeFileSync(join(places.base, "lines"), "one\ntwo\nthree\n")
      fs.writeFileSync(join(places.base, "gone"), "gone\n")
      fs.writeFileSync(join(places.base, "moved"), "moved\n")
      fs.writeFileSync(join(places.base, "mode"), "mode\n", { mode: 0o644 })
      yield* onKernel(places, (kernel) =>
        Effect.gen(function* () {
          yield* kernel.write((yield* kernel.lookup(rootNode, "lines")).nodeid, 4, bytes("TWO"))
          yield* kernel.unlink(rootNode, "gone")
          yield* kernel.rename(rootNode, "moved", rootNode, "with space")
          yield* kernel.setattr({ nodeid: (yield* kernel.lookup(rootNode, "mode")).nodeid, valid: 1, mode: 0o755 })
          const made = yield* kernel.create({ name: "new", mode: 0o100644 })
          yield* kernel.write(made.nodeid, 0, bytes("no newline"))
        })
      )
      assert.strictEqual(
        (yield* patchOf(places)).toString().replaceAll(/^index .*$/gm, "index"),
        [
          "diff --git a/gone b/gone",
          "deleted file mode 100644",
          "index",
          "--- a/gone",
          "+++ /dev/null",
          "@@ -1 +0,0 @@",
          "-gone",
          "diff --git a/lines b/lines",
          "index",
          "--- a/lines",
          "+++ b/lines",
          "@@ -1,3 +1,3 @@",
          " one",
          "-two",
          "+TWO",
          " three",
          "diff --git a/mode b/mode",
          "old mode 100644",
          "new mode 100755",
          "diff --git a/new b/new",
          "new file mode 100644",
          "index",
          "--- /dev/null",
          "+++ b/new",
          "@@ -0,0 +1 @@",
          "+no newline",
          "\\ No newline at end of file",
          "diff --git a/moved b/with space",
          "rename from moved",
          "rename to with space",
          ""
        ].join("\n")
      )
      assert.deepStrictEqual(yield* statOf(places), [
        { path: "gone", insertions: 0, deletions: 1 },
        { path: "lines", insertions: 1, deletions: 1 },
        { path: "mode", insertions: 0, deletions: 0 },
        { path: "new", insertions: 1, deletions: 0 },
        { path: "with space", from: "moved", insertions: 0, deletions: 0 }
      ])
    })
  )

  it.effect("that puts a file where a symlink was that has moved is taken", () =>
    Effect.gen(function* () {
      const places = yield* newPlaces
      fs.symlinkSync("somewhere", join(places.base, "link"))
      const copy = join(dirname(places.base), "copy")
      fs.cpSync(places.base, copy, { recursive: true, verbatimSymlinks: true })
      yield* onKernel(places, (kernel) =>
        Effect.gen(function* () {
          yield* kernel.rename(rootNode, "link", rootNode, "moved")
          yield* kernel.create({ name: "link", mode: 0o100644 })
        })
      )
      const file = join(dirname(places.base), "patch")
      fs.writeFileSync(file, yield* patchOf(places))
      yield* Effect.promise(() => execute("git", ["apply", file], copy))
      assert.deepStrictEqual(gitTree(copy), ["link  ", "moved -> somewhere"])
    })
  )

  it.effect("tells of what was removed from a directory that has moved", () =>
    Effect.gen(function* () {
      const places = yield* newPlaces
      fs.mkdirSync(join(places.base, "directory"))
      fs.writeFileSync(join(places.base, "directory", "gone"), "gone\n")
      fs.writeFileSync(join(places.base, "directory", "kept"), "kept\n")
      const copy = join(dirname(places.base), "copy")
      fs.cpSync(places.base, copy, { recursive: true })
      yield* onKernel(places, (kernel) =>
        Effect.gen(function* () {
          yield* kernel.rename(rootNode, "directory", rootNode, "moved")
          yield* kernel.unlink((yield* kernel.lookup(rootNode, "moved")).nodeid, "gone")
        })
      )
      const file = join(dirname(places.base), "patch")
      fs.writeFileSync(file, yield* patchOf(places))
      yield* Effect.promise(() => execute("git", ["apply", file], copy))
      assert.deepStrictEqual(gitTree(copy), [`moved/kept  ${btoa("kept\n")}`])
    })
  )

  it.effect("that puts a file where a directory with an empty one was is taken by a checkout", () =>
    Effect.gen(function* () {
      const places = yield* newPlaces
      fs.mkdirSync(join(places.base, "directory", "empty"), { recursive: true })
      fs.writeFileSync(join(places.base, "directory", "file"), "text\n")
      fs.writeFileSync(join(places.base, "other"), "other\n")
      const copy = join(dirname(places.base), "copy")
      checkOut(places.base, copy)
      yield* onKernel(places, (kernel) => kernel.rename(rootNode, "directory", rootNode, "other", RENAME_EXCHANGE))
      const file = join(dirname(places.base), "patch")
      fs.writeFileSync(file, yield* patchOf(places))
      yield* Effect.promise(() => execute("git", ["apply", file], copy))
      assert.deepStrictEqual(gitTree(copy), [`directory  ${btoa("other\n")}`, `other/file  ${btoa("text\n")}`])
    })
  )

  it.live("of random calls makes a copy of the base what the branch shows", () =>
    Effect.promise(() =>
      fc.assert(
        fc.asyncProperty(fc.array(step, { minLength: 5, maxLength: 30 }), (steps: ReadonlyArray<Step>) =>
          Effect.runPromise(
            Effect.scoped(
              Effect.gen(function* () {
                const places = yield* newPlaces
                fillBase(places.base)
                yield* Effect.scoped(
                  Effect.flatMap(workspace(places.base, { store: places.store, clock: makeClock() }), (backend) => {
                    const { act } = subject(backend)
                    return Effect.forEach(steps, (given) => Effect.ignore(act(given)))
                  })
                )
                const copy = join(dirname(places.base), "copy")
                checkOut(places.base, copy)
                const patch = yield* patchOf(places)
                const file = join(dirname(places.base), "patch")
                fs.writeFileSync(file, patch)
                if (patch.length > 0) yield* Effect.promise(() => execute("git", ["apply", file], copy))
                yield* Effect.scoped(Effect.flatMap(openBranch(places.base, places.store), (branch) => branch.commit()))
                assert.deepStrictEqual(gitTree(copy), gitTree(places.base), patch.toString("latin1"))
              })
            )
          )
        ),
        { numRuns: Number(process.env["RUNS"] ?? 40) }
      )
    )
  )
})
