/** `bickford mount workspace:DIR` on the real kernel: a directory that stays as it is, and a branch that is there again. */
import { assert, describe, it } from "@effect/vitest"
import { execFile } from "node:child_process"
import { mkdir, mkdtemp, readdir, readFile, rm, writeFile } from "node:fs/promises"
import { tmpdir } from "node:os"
import { join } from "node:path"
import { promisify } from "node:util"
import { bickford, makeMountpoint, withMount } from "./bickford.ts"

const execute = promisify(execFile)

interface Places {
  readonly folder: string
  readonly base: string
  readonly store: string
}

/** Gives `body` a base directory with some files, and a place for branches. */
const withBase = async (body: (places: Places) => Promise<void>): Promise<void> => {
  const folder = await mkdtemp(join(tmpdir(), "bickford-workspace-"))
  try {
    const base = join(folder, "base")
    await mkdir(join(base, "src/deep"), { recursive: true })
    await writeFile(join(base, "README"), "read me\n")
    await writeFile(join(base, "src/a.c"), "int a;\n")
    await writeFile(join(base, "src/deep/large"), "x".repeat(300_000))
    await execute("ln", [join(base, "README"), join(base, "src/README")])
    await execute("ln", ["-s", "src/a.c", join(base, "link")])
    await body({ folder, base, store: join(folder, "branches") })
  } finally {
    await rm(folder, { recursive: true })
  }
}

/** Everything below a directory: types, modes, numbers, times, content. */
const listing = async (base: string): Promise<string> => {
  const tree = await execute("find", [base, "-printf", "%P %y %m %i %n %s %T@ %C@ %l\\n"])
  const sums = await execute("sh", ["-c", `find ${base} -type f -exec sha256sum {} + | sort`])
  return tree.stdout.split("\n").sort().join("\n") + sums.stdout
}

const work = `
  set -e
  test "$(cat src/README)" = "read me"
  echo more >> README
  test "$(tail -1 src/README)" = more
  rm src/a.c
  test ! -e link
  mv src moved
  printf y | dd of=moved/deep/large bs=1 seek=100000 conv=notrunc status=none
  chmod 600 moved/deep/large
  mkdir src
  echo new > src/new
  ln moved/deep/large hard
  cp -a moved copy
  rm -r copy
  sync .
`

const changed = `
  set -e
  test "$(tail -1 README)" = more
  test "$(ls)" = "README
hard
link
moved
src"
  test "$(ls moved)" = "README
deep"
  test "$(ls src)" = new
  test "$(stat -c %h-%a-%s hard)" = 2-600-300000
  test "$(cut -c 100000-100002 hard)" = xyx
`

describe("a workspace", () => {
  it("leaves its base as it was, and is there again after an unmount", () =>
    withBase(async ({ base, store }) => {
      const source = `workspace:${base}`
      const options = ["-o", `store=${store}`]
      const before = await listing(base)
      await withMount(({ mountpoint, run }) => run("sh", ["-c", work], { cwd: mountpoint }), options, source)
      assert.strictEqual(await listing(base), before)
      await withMount(({ mountpoint, run }) => run("sh", ["-c", changed], { cwd: mountpoint }), options, source)
      // Another branch knows of nothing.
      await withMount(
        async ({ mountpoint, run }) => {
          const seen = await run("sh", ["-c", "ls; cat README"], { cwd: mountpoint })
          assert.strictEqual(seen, "README\nlink\nsrc\nread me\n")
        },
        ["-o", `store=${store},branch=other`],
        source
      )
    }))

  it("can be mounted over its own base", () =>
    withBase(async ({ base, store }) => {
      const { start, cleanUp } = await import("./bickford.ts")
      const served = await start(base, ["-o", `store=${store}`], `workspace:${base}`)
      try {
        await served.run("sh", ["-c", work], { cwd: base })
        await served.run("sh", ["-c", changed], { cwd: base })
        const compared = await bickford(["diff", "--store", store, base])
        assert.include(compared.stderr, "is covered by a mount")
        const audit = await bickford(["audit", "--path", "src/new", "--store", store, base])
        assert.match(audit.stdout, / (mknod|create) src\/new /, audit.stderr)
      } finally {
        const mountpoint = await makeMountpoint()
        served.server.kill("SIGTERM")
        await served.end()
        await cleanUp(mountpoint, [])
      }
      assert.strictEqual(await readFile(join(base, "README"), "utf8"), "read me\n")
    }))

  it("is refused where its server would wait for itself, and by names that are none", () =>
    withBase(async ({ base, store }) => {
      const inside = await bickford(["mount", "-o", `store=${store}`, `workspace:${base}`, join(base, "src")])
      assert.include(inside.stderr, "holds the mountpoint")
      const held = await bickford(["mount", "-o", `store=${base}/b`, `workspace:${base}`, store])
      assert.notStrictEqual(held.status, 0)
      const name = await bickford(["mount", "-o", `store=${store},branch=../x`, `workspace:${base}`, "/mnt"])
      assert.include(name.stderr, "is not a name for a branch")
    }))

  it("says what was changed, and brings it into the base", () =>
    withBase(async ({ base, store }) => {
      const options = ["-o", `store=${store}`]
      await withMount(
        async ({ mountpoint, run }) => {
          await run("sh", ["-c", work], { cwd: mountpoint })
          const busy = await bickford(["commit", "--store", store, base])
          assert.include(busy.stderr, "in use by")
        },
        options,
        `workspace:${base}`
      )
      const listed = await bickford(["branch", "list", "--store", store, base])
      assert.match(listed.stdout, /^main\t/)
      const diff = await bickford(["diff", "--store", store, base])
      assert.deepStrictEqual(diff.stdout.trim().split("\n"), [
        "M README (content, times)",
        "A hard",
        "R src -> moved/",
        "M moved/deep/large (content, mode, times)",
        "A src/",
        "D src/a.c",
        "A src/new"
      ])
      const committed = await bickford(["commit", "--store", store, base])
      assert.include(committed.stdout, "changes are in", committed.stderr)
      await execute("sh", ["-c", changed], { cwd: base })
      assert.strictEqual((await bickford(["diff", "--store", store, base])).stdout, "")
      const deleted = await bickford(["branch", "delete", "--store", store, base, "main"])
      assert.strictEqual(deleted.status, 0, deleted.stderr)
      assert.strictEqual((await bickford(["branch", "list", "--store", store, base])).stdout, "")
    }))

  it("is looked at, checkpointed and forked while it is mounted", () =>
    withBase(async ({ base, store }) => {
      const command = async (...args: ReadonlyArray<string>): Promise<string> => {
        const { status, stderr, stdout } = await bickford([...args, "--store", store])
        assert.strictEqual(status, 0, stderr)
        return stdout
      }
      await withMount(
        async ({ mountpoint, run }) => {
          const work = (script: string) => run("sh", ["-c", script], { cwd: mountpoint })
          await work("echo one > first; rm src/a.c")
          assert.strictEqual(await command("diff", base), "A first\nD src/a.c\n")
          assert.include(await command("diff", "--patch", base), "+one")
          await command("checkpoint", base, "green")
          await work("echo two > second")
          await command("branch", "fork", base, "try-1")
          await command("branch", "fork", base, "try-2", "--checkpoint", "green")
          await work("echo three > third")
          assert.strictEqual(await command("checkpoint", base), "green\n")
          assert.match(await command("audit", "--path", "second", base), / second /)
          const taken = await bickford(["checkpoint", base, "green", "--store", store])
          assert.include(taken.stderr, "checkpoint green: is there already")
          const busy = await bickford(["reset", base, "green", "--store", store])
          assert.include(busy.stderr, "in use by")
        },
        ["-o", `store=${store}`],
        `workspace:${base}`
      )
      assert.strictEqual(await command("diff", base, "-b", "try-1"), "A first\nA second\nD src/a.c\n")
      assert.strictEqual(await command("diff", base, "-b", "try-2"), "A first\nD src/a.c\n")
      assert.match(await command("branch", "log", base, "try-1"), / fork try-1 /)
      await command("reset", base, "green")
      assert.strictEqual(await command("diff", base), "A first\nD src/a.c\n")
      assert.deepStrictEqual(
        (await readdir(store)).filter((name) => /new|-nodes|-wal|-shm/.test(name)),
        []
      )
    }))

  it("can be checkpointed, reset and forked, and shown as a patch", () =>
    withBase(async ({ base, store }) => {
      const command = async (...args: ReadonlyArray<string>): Promise<string> => {
        const { status, stderr, stdout } = await bickford([...args, "--store", store])
        assert.strictEqual(status, 0, stderr)
        return stdout
      }
      const work = (script: string, branch = "main") =>
        withMount(
          ({ mountpoint, run }) => run("sh", ["-c", script], { cwd: mountpoint }),
          ["-o", `store=${store},branch=${branch}`],
          `workspace:${base}`
        )
      await work("echo more >> README; printf 'one\\ntwo\\n' > new; printf '\\0' > binary")
      await command("checkpoint", base, "green")
      await work("rm -r src; echo lost > lost")
      await command("branch", "fork", base, "try-1")
      await command("branch", "fork", base, "try-2", "--from", "try-1", "--checkpoint", "green").then(
        () => assert.fail("try-1 has no checkpoint"),
        () => undefined
      )
      await command("branch", "fork", base, "try-2", "--checkpoint", "green")
      await command("reset", base, "green")
      assert.strictEqual(await command("checkpoint", base), "green\n")
      const shown = await command("diff", base)
      assert.strictEqual(shown, "M README (content, times)\nA binary\nA new\n")
      assert.strictEqual(await command("diff", base, "-b", "try-2"), shown)
      assert.include(await command("diff", base, "-b", "try-1"), "D src")
      assert.strictEqual(
        await command("diff", "--stat", base),
        [
          " README     | 1 +",
          " binary     | Bin 0 -> 1 bytes",
          " new        | 2 ++",
          " src/README | 1 +",
          " 4 files changed, 4 insertions(+)",
          ""
        ].join("\n")
      )
      const patch = join(base, "../patch")
      await writeFile(patch, await command("diff", "--patch", base))
      await execute("git", ["apply", "--check", patch], { cwd: base })
      const log = await command("branch", "log", base, "main")
      assert.deepStrictEqual(
        log
          .trim()
          .split("\n")
          .map((line) => line.split(" ")[1]),
        ["reset", "fork", "fork", "checkpoint"]
      )
      await writeFile(join(store, "gone.branch-nodes"), "")
      await command("reset", base)
      assert.strictEqual(await command("diff", base), "")
      assert.strictEqual(await command("branch", "gc", base), "removed gone.branch-nodes\n")
      await command("branch", "delete", base, "main")
      assert.match(await command("branch", "list", base), /^try-1\t\d+ bytes\ntry-2\t\d+ bytes\n$/)
      const forms = await bickford(["diff", "--stat", "--json", "--store", store, base])
      assert.include(forms.stderr, "choose one")
    }))
})
