/** Real programs at work on a live mount. */
import { assert, describe, it } from "@effect/vitest"
import { mkdir, mkdtemp, readdir, realpath, rm, writeFile } from "node:fs/promises"
import { tmpdir } from "node:os"
import { join } from "node:path"
import { root, withMount } from "./bickford.ts"
import { run } from "./processes.ts"

/** Gives `body` a folder on the machine's own filesystem, for as long as it runs. */
const withFolder = async <A>(body: (folder: string) => Promise<A>): Promise<A> => {
  const folder = await realpath(await mkdtemp(join(tmpdir(), "bickford-work-")))
  try {
    return await body(folder)
  } finally {
    await rm(folder, { recursive: true, force: true })
  }
}

/** Gives git an author and none of the machine's or the user's settings. */
const gitEnvironment = {
  ...process.env,
  GIT_CONFIG_GLOBAL: "/dev/null",
  GIT_CONFIG_SYSTEM: "/dev/null",
  GIT_AUTHOR_NAME: "A",
  GIT_AUTHOR_EMAIL: "a@example.org",
  GIT_COMMITTER_NAME: "A",
  GIT_COMMITTER_EMAIL: "a@example.org"
}

/** A repository with `count` commits that change, add, rename and remove files, and a second branch. */
const makeHistory = async (folder: string, count: number): Promise<void> => {
  const git = (...args: ReadonlyArray<string>) => run("git", args, { cwd: folder, env: gitEnvironment })
  await git("init", "-q", "-b", "main")
  await git("config", "gc.auto", "0")
  for (let i = 0; i < count; i++) {
    const part = join(folder, `part-${i % 10}`)
    await mkdir(part, { recursive: true })
    await writeFile(join(part, `file-${i}.txt`), `${i}\n`.repeat(1 + ((i * 37) % 400)))
    await writeFile(join(folder, "log.txt"), `commit ${i}\n`)
    if (i % 10 === 9) await git("mv", `part-9/file-${i}.txt`, `moved-${i}.txt`).catch(() => "")
    await git("add", "-A")
    await git("commit", "-q", "-m", `Commit ${i}`)
    if (i === count >> 1) await git("branch", "half")
  }
}

describe("on a live mount", () => {
  it("a tree of thousands of files is copied in and is the same", () =>
    withMount(async ({ mountpoint, run }) => {
      const source = join(root, "node_modules")
      // The hidden entries but .bin are caches, which change while tests run.
      const packages = (await readdir(source)).filter((name) => name === ".bin" || !name.startsWith("."))
      const copy = join(mountpoint, "copy")
      await run("mkdir", [copy])
      await run("cp", ["-a", ...packages, copy], { cwd: source })
      const copied = await run("find", [copy, "-type", "f"])
      assert.isAtLeast(copied.split("\n").length, 5000)
      // One diff for each: given several operands it would compare them all with the same one.
      await run(
        "sh",
        ["-c", `for name; do diff -r --no-dereference "$name" "$0/$name" || exit; done`, copy, ...packages],
        {
          cwd: source
        }
      )
      await run("rm", ["-r", join(mountpoint, "copy")])
      assert.strictEqual(await run("ls", ["-A", mountpoint]), "")
    }))

  it("git clones, checks, repacks", () =>
    withFolder((folder) =>
      withMount(async ({ mountpoint, run }) => {
        await makeHistory(folder, 120)
        const clone = join(mountpoint, "clone")
        const git = (...args: ReadonlyArray<string>) => run("git", args, { cwd: clone, env: gitEnvironment })
        await run("git", ["clone", "-q", "--no-local", folder, clone], { env: gitEnvironment })
        assert.strictEqual((await git("rev-list", "--count", "HEAD")).trim(), "120")
        await git("fsck", "--full", "--strict")
        assert.strictEqual(await git("status", "--porcelain"), "")
        await git("gc", "-q", "--aggressive", "--prune=now")
        await git("fsck", "--full", "--strict")
        await git("switch", "-q", "-c", "work", "origin/half")
        await run("sh", ["-c", "echo more >> log.txt"], { cwd: clone })
        await git("commit", "-qam", "More")
        await git("merge", "-q", "-X", "ours", "-m", "Merge", "main")
        assert.strictEqual(await git("status", "--porcelain"), "")
        await git("fsck", "--full", "--strict")
      })
    ))

  it("the addon is built inside it and loads", () =>
    withMount(async ({ mountpoint, run }) => {
      const native = join(mountpoint, "native")
      await run(
        "sh",
        [
          "-c",
          `mkdir native && cp -a "$1"/binding.gyp "$1"/src native/ && ln -s "$2" node_modules`,
          "sh",
          join(root, "native"),
          join(root, "node_modules")
        ],
        { cwd: mountpoint }
      )
      await run(process.execPath, [join(root, "scripts", "node-gyp.mjs"), "rebuild", `--directory=${native}`], {
        cwd: native
      })
      const exported = await run(
        process.execPath,
        ["-p", `Object.keys(require("./build/Release/bickford.node")).join()`],
        { cwd: native }
      )
      assert.include(exported, "open_dev_fuse")
    }))

  it("SQLite keeps ten thousand rows in WAL mode", () =>
    withMount(async ({ mountpoint, run }) => {
      const said = await run(process.execPath, [
        "--disable-warning=ExperimentalWarning",
        join(root, "test", "mount", "sqliteRows.mjs"),
        join(mountpoint, "rows.db")
      ])
      assert.deepStrictEqual(JSON.parse(said), { mode: "wal", rows: 10_000, check: "ok", reopened: 10_000 })
    }))
})
