/** The files of a commit, as git itself checks them out. */
import { assert, describe, it } from "@effect/vitest"
import { FakeKernel } from "@bickford/session/testing"
import * as Effect from "effect/Effect"
import { execFile } from "node:child_process"
import { mkdir, mkdtemp, readdir, rm, symlink, truncate, writeFile } from "node:fs/promises"
import { tmpdir } from "node:os"
import { join } from "node:path"
import { promisify } from "node:util"
import { git, type GitOptions } from "../src/index.ts"

const run = promisify(execFile)
const commitSeconds = 1_000_000_000

const environment = {
  ...process.env,
  GIT_CONFIG_GLOBAL: "/dev/null",
  GIT_CONFIG_SYSTEM: "/dev/null",
  GIT_AUTHOR_NAME: "A",
  GIT_AUTHOR_EMAIL: "a@example.org",
  GIT_COMMITTER_NAME: "A",
  GIT_COMMITTER_EMAIL: "a@example.org",
  GIT_AUTHOR_DATE: `${commitSeconds} +0000`,
  GIT_COMMITTER_DATE: `${commitSeconds} +0000`
}

/** A repository with two commits, of which the first is tagged. */
const repository = Effect.acquireRelease(
  Effect.promise(async () => {
    const folder = await mkdtemp(join(tmpdir(), "bickford-git-"))
    const command = (...args: ReadonlyArray<string>) => run("git", [...args], { cwd: folder, env: environment })
    await command("init", "-q", "-b", "main")
    await mkdir(join(folder, "d", "e"), { recursive: true })
    await writeFile(join(folder, "d", "e", "deep"), "deep\n")
    await writeFile(join(folder, "program"), "#!/bin/sh\n", { mode: 0o755 })
    await writeFile(join(folder, "large"), Buffer.alloc(300_000, "a line of text\n"))
    await symlink("d/e/deep", join(folder, "link"))
    await command("add", "-A")
    await command("commit", "-q", "-m", "One")
    await command("tag", "one")
    await writeFile(join(folder, "second"), "2")
    await command("add", "-A")
    await command("commit", "-q", "-m", "Two")
    return { folder, command }
  }),
  ({ folder }) => Effect.promise(() => rm(folder, { recursive: true, force: true }))
)

const mounted = (folder: string, options?: GitOptions) =>
  Effect.gen(function* () {
    const { kernel } = yield* FakeKernel.serve(yield* git(folder, options))
    yield* kernel.init()
    return kernel
  })

describe("a commit", () => {
  for (const packed of [false, true])
    it.live(`is served from ${packed ? "a pack" : "loose objects"}, with modes, links and its time`, () =>
      Effect.gen(function* () {
        const { command, folder } = yield* repository
        if (packed) yield* Effect.promise(() => command("gc", "-q"))
        const kernel = yield* mounted(folder)
        assert.deepStrictEqual([...(yield* kernel.readdir("/"))].toSorted(), [
          "d",
          "large",
          "link",
          "program",
          "second"
        ])
        assert.strictEqual((yield* kernel.readFile("/link")).toString(), "deep\n")
        assert.strictEqual(yield* kernel.readlink("/link"), "d/e/deep")
        assert.isTrue((yield* kernel.readFile("/large")).equals(Buffer.alloc(300_000, "a line of text\n")))
        const { mode, mtime, size } = yield* kernel.stat("/program")
        assert.deepStrictEqual([mode, mtime.sec, size], [0o100755, commitSeconds, 10])
        const refused = yield* Effect.flip(kernel.writeFile("/second", "3"))
        assert.strictEqual(refused._tag, "EROFS")
      })
    )

  it.live("is found by a tag, a branch, or the beginning of its number, in a bare repository too", () =>
    Effect.gen(function* () {
      const { command, folder } = yield* repository
      const { stdout } = yield* Effect.promise(() => command("rev-parse", "one"))
      yield* Effect.promise(() => command("clone", "-q", "--bare", folder, join(folder, "bare.git")))
      for (const [place, revision] of [
        [folder, "one"],
        [folder, stdout.slice(0, 10)],
        [join(folder, "bare.git"), "one"]
      ] as const) {
        const kernel = yield* mounted(place, { revision })
        assert.notInclude(yield* kernel.readdir("/"), "second")
      }
      const kernel = yield* mounted(folder, { revision: "main" })
      assert.include(yield* kernel.readdir("/"), "second")
    })
  )

  it.live("that is not there is an error that names it", () =>
    Effect.gen(function* () {
      const { folder } = yield* repository
      const { message } = yield* Effect.flip(git(folder, { revision: "missing" }))
      assert.strictEqual(message, `${folder}: has no commit missing`)
    })
  )

  it.live("with a damaged object: EIO for its file alone", () =>
    Effect.gen(function* () {
      const { command, folder } = yield* repository
      const kernel = yield* mounted(folder)
      yield* Effect.promise(async () => {
        const { stdout } = await command("rev-parse", "HEAD:large")
        const object = join(folder, ".git", "objects", stdout.slice(0, 2))
        for (const name of await readdir(object)) await truncate(join(object, name), 20)
      })
      assert.strictEqual((yield* Effect.flip(kernel.readFile("/large")))._tag, "EIO")
      assert.strictEqual((yield* kernel.readFile("/second")).toString(), "2")
    })
  )
})
