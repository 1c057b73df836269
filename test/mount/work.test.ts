/** Real work, on every filesystem that is to be worked on. */
import { assert, describe, it } from "@effect/vitest"
import { execFileSync } from "node:child_process"
import { mkdir, mkdtemp, realpath, rm, writeFile } from "node:fs/promises"
import { tmpdir } from "node:os"
import { join } from "node:path"
import { root, type Served, withMount } from "./bickford.ts"
import { run } from "./processes.ts"

/** The program itself: what `python3` on the PATH may be is a script that changes the environment. */
const python = execFileSync("python3", ["-c", "import sys; print(sys.executable)"], { encoding: "utf8" }).trim()

/** Gives `body` a folder on the machine's own filesystem, for as long as it runs. */
const withFolder = async <A>(body: (folder: string) => Promise<A>): Promise<A> => {
  const folder = await realpath(await mkdtemp(join(tmpdir(), "bickford-work-")))
  try {
    return await body(folder)
  } finally {
    await rm(folder, { recursive: true, force: true })
  }
}

/** By name: a mount of it, and a folder on the machine's own filesystem. */
const filesystems: {
  readonly [name: string]: (body: (served: Served, folder: string) => Promise<void>) => Promise<void>
} = {
  memory: (body) => withFolder((folder) => withMount((served) => body(served, folder))),
  passthrough: (body) =>
    withFolder((folder) =>
      withFolder((source) => withMount((served) => body(served, folder), [], `passthrough:${source}`))
    )
}

const gitEnvironment = {
  ...process.env,
  GIT_CONFIG_GLOBAL: "/dev/null",
  GIT_CONFIG_SYSTEM: "/dev/null",
  GIT_AUTHOR_NAME: "A",
  GIT_AUTHOR_EMAIL: "a@example.org",
  GIT_COMMITTER_NAME: "A",
  GIT_COMMITTER_EMAIL: "a@example.org"
}

const sources = 40

for (const [name, withFilesystem] of Object.entries(filesystems)) {
  describe(name, () => {
    it("npm ci --offline installs what this project needs, and its tests pass", () =>
      withFilesystem(async ({ mountpoint, run }) => {
        const copied = [
          "package.json",
          "package-lock.json",
          "tsconfig.base.json",
          "vitest.config.ts",
          "packages",
          "test/golden",
          "test/fuzz",
          "docs",
          "scripts"
        ]
        await run(
          "sh",
          [
            "-c",
            `mkdir "$0/project" && tar c --exclude=node_modules --exclude=dist "$@" | tar x -C "$0/project"`,
            mountpoint,
            ...copied
          ],
          { cwd: root }
        )
        const project = join(mountpoint, "project")
        // The cache is the one that installing this project has filled.
        await run("npm", ["ci", "--offline", "--ignore-scripts", "--no-audit", "--no-fund"], { cwd: project })
        const tests = [join(project, "node_modules", "vitest", "vitest.mjs"), "run", "packages/protocol/test"]
        const said = await run(process.execPath, tests, { cwd: project, env: { ...process.env, NO_COLOR: "1" } })
        assert.isAbove(Number(/Tests\s+(\d+) passed/.exec(said)?.[1]), 500)
      }))

    it("git branches, rebases, works in worktrees, collects garbage", () =>
      withFilesystem(async ({ mountpoint, run }) => {
        const repository = join(mountpoint, "repository")
        await run("mkdir", [repository])
        const script = `
          set -e
          git init -q -b main .
          for i in $(seq 30); do echo "line $i" >>log; echo $i >"file$i"; git add -A; git commit -qm "Commit $i"; done
          git switch -qc topic HEAD~10
          for i in $(seq 5); do echo $i >"topic$i"; git add -A; git commit -qm "Topic $i"; done
          git rebase -q main
          git worktree add -q ../tree topic~2
          (cd ../tree && echo more >>log && git commit -qam More && git tag kept)
          git cherry-pick kept >/dev/null
          git stash list
          git worktree remove ../tree
          git branch -q -D main
          git repack -adfq
          git gc -q --prune=now
          git fsck --full --strict
          git status --porcelain
          git log --oneline | wc -l
        `
        const said = await run("sh", ["-c", script], { cwd: repository, env: gitEnvironment })
        assert.strictEqual(said.trim(), "36")
      }))

    it("tar carries every type of file and its attributes there and back", () =>
      withFilesystem(async ({ mountpoint, run: runInside }, folder) => {
        const program = join(root, "test", "mount", "allTypes.py")
        const original = join(folder, "original")
        const inside = join(mountpoint, "inside")
        const back = join(folder, "back")
        await mkdir(original)
        await mkdir(back)
        await run(python, [program, "make", original])
        const options = "--sparse --xattrs --xattrs-include=*"
        await runInside("sh", [
          "-c",
          `mkdir "$2" && tar c ${options} -C "$1" . | tar xp ${options} -C "$2"`,
          "sh",
          original,
          inside
        ])
        await runInside("sh", ["-c", `tar c ${options} -C "$1" . | tar xp ${options} -C "$2"`, "sh", inside, back])
        const shown = await run(python, [program, "show", original])
        assert.strictEqual(await runInside(python, [program, "show", inside]), shown)
        assert.strictEqual(await run(python, [program, "show", back]), shown)
        assert.strictEqual(shown.trim().split("\n").length, 13)
        // And made there directly, with a socket, which tar does not carry.
        const made = join(mountpoint, "made")
        await runInside(python, [program, "make", made])
        await runInside(python, [program, "socket", join(made, "socket")])
        assert.include(await runInside(python, [program, "show", made]), "./socket' 0o140755")
      }))

    for (const mode of ["WAL", "DELETE"]) {
      it(`SQLite, journal mode ${mode}: two processes write at once`, () =>
        withFilesystem(async ({ mountpoint, run }) => {
          const transactions = 300
          const write = (who: string) =>
            run(process.execPath, [
              "--disable-warning=ExperimentalWarning",
              join(root, "test", "mount", "twoWriters.mjs"),
              join(mountpoint, "rows.db"),
              mode,
              who,
              String(transactions)
            ])
          await write("create")
          await Promise.all([write("one"), write("other")])
          assert.deepStrictEqual(JSON.parse(await write("check")), {
            check: "ok",
            journal: mode.toLowerCase(),
            counts: [
              ["one", transactions],
              ["other", transactions]
            ],
            total: 2 * transactions
          })
        }))
    }

    it("make -j2 builds a program in C", () =>
      withFilesystem(async ({ mountpoint, run }, folder) => {
        const names = Array.from({ length: sources }, (_, i) => `part${i}`)
        await mkdir(join(folder, "program"))
        for (const [i, part] of names.entries())
          await writeFile(join(folder, "program", `${part}.c`), `int ${part}(int n) { return n * ${i}; }\n`)
        await writeFile(
          join(folder, "program", "main.c"),
          `#include <stdio.h>\n${names.map((part) => `int ${part}(int);`).join("\n")}\nint main(void) { printf("%d\\n", ${names.map((part) => `${part}(1)`).join(" + ")}); }\n`
        )
        const objects = ["main", ...names].map((part) => `${part}.o`).join(" ")
        await writeFile(
          join(folder, "program", "Makefile"),
          `program: ${objects}\n\t$(CC) -o $@ $^\nclean:\n\trm -f *.o program\n`
        )
        await run("cp", ["-r", join(folder, "program"), mountpoint])
        const program = join(mountpoint, "program")
        await run("make", ["-s", "-j2"], { cwd: program })
        assert.strictEqual(await run("./program", [], { cwd: program }), `${(sources * (sources - 1)) / 2}\n`)
        assert.include(await run("make", ["-j2"], { cwd: program }), "up to date")
        await run("make", ["-s", "clean"], { cwd: program })
        assert.strictEqual(
          await run("sh", ["-c", "ls *.o | wc -l"], { cwd: program, env: { ...process.env, LC_ALL: "C" } }),
          "0\n"
        )
      }))
  })
}
