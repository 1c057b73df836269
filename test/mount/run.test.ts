/** `bickford run`: a command in a mount namespace of its own, as root and as another user. */
import { assert, describe, it } from "@effect/vitest"
import { chmod, chown, lstat, mkdir, mkdtemp, readdir, readFile, rm, writeFile } from "node:fs/promises"
import { tmpdir } from "node:os"
import { join } from "node:path"
import { root } from "./bickford.ts"
import { type ChildProcess, spawn } from "node:child_process"
import { attempt, ended, type Outcome } from "./processes.ts"

const program = [
  process.execPath,
  "--conditions=development",
  "--disable-warning=ExperimentalWarning",
  join(root, "packages", "bickford", "src", "cli", "main.ts")
]

interface Places {
  readonly base: string
  readonly store: string
  /** Runs `bickford` in the base. */
  readonly bickford: (...args: ReadonlyArray<string>) => Promise<Outcome>
  /** Starts it, with pipes, and a shell that every machine has. */
  readonly running: (...args: ReadonlyArray<string>) => ChildProcess
}

const nobody = 65534

/** What is below a directory: names, sizes, times of change. */
const treeOf = async (directory: string): Promise<ReadonlyArray<string>> => {
  const names = (await readdir(directory, { recursive: true })).sort()
  return Promise.all(
    names.map(async (name) => {
      const { mtimeMs, size } = await lstat(join(directory, name))
      return `${name} ${size} ${mtimeMs}`
    })
  )
}

/** Runs a command as a user: `FOLDER USER COMMAND...`, where everybody may open /dev/fuse. */
const asUser = [
  "unshare",
  "-m",
  "sh",
  "-euc",
  `folder=$0 user=$1 here=$PWD
  shift
  test -e "$folder/fuse" || mknod "$folder/fuse" c 10 229
  chmod 0666 "$folder/fuse"
  mount --bind "$folder/fuse" /dev/fuse
  cd "$here"
  exec setpriv --reuid="$user" --regid="$user" --clear-groups "$@"`
]

/** Gives `body` a base with one file, of a user who runs the program. */
const withBase = async (uid: number, body: (places: Places) => Promise<void>): Promise<void> => {
  const folder = await mkdtemp(join(tmpdir(), "bickford-run-"))
  const base = join(folder, "base")
  const store = join(folder, "branches")
  try {
    await chmod(folder, 0o755)
    await mkdir(base)
    await mkdir(store)
    await writeFile(join(base, "file"), "text\n")
    for (const place of [base, store, join(base, "file")]) await chown(place, uid, uid)
    const [command = "", ...rest] = [...(uid === 0 ? [] : [...asUser, folder, `${uid}`]), ...program]
    await body({
      base,
      store,
      bickford: (...args) =>
        attempt(command, [...rest, ...args], {
          cwd: base,
          env: {
            ...process.env,
            HOME: store,
            npm_config_cache: join(store, "npm"),
            npm_config_update_notifier: "false"
          }
        }),
      running: (...args) =>
        spawn(command, [...rest, ...args], {
          cwd: base,
          env: { ...process.env, SHELL: "/bin/sh" },
          stdio: ["pipe", "pipe", "inherit"]
        })
    })
  } finally {
    await rm(folder, { recursive: true })
  }
}

for (const [who, uid] of [
  ["root", 0],
  ["another user", nobody]
] as const) {
  describe(`as ${who}, a command`, () => {
    it("sees the directory at its place, changes a branch, and its exit code is passed on", () =>
      withBase(uid, async ({ base, bickford, store }) => {
        const script = "pwd; cat file; echo more >> file; echo new > made; ls; exit 7"
        const ran = await bickford("run", "--store", store, "--branch", "try", "--", "sh", "-c", script)
        assert.strictEqual(ran.stdout, `${base}\ntext\nfile\nmade\n`, ran.stderr)
        assert.strictEqual(ran.status, 7)
        assert.deepStrictEqual(await readdir(base), ["file"])
        assert.strictEqual(await readFile(join(base, "file"), "utf8"), "text\n")
        const diff = await bickford("diff", "--store", store, "-b", "try", base)
        assert.match(diff.stdout, /^M file \(content.*\nA made\n$/)
      }))

    it("that succeeds may have its changes committed, and one that changes nothing leaves nothing", () =>
      withBase(uid, async ({ base, bickford, store }) => {
        const made = await bickford("run", "--store", store, "--commit-on-success", "--", "sh", "-c", "echo new > made")
        assert.strictEqual(made.status, 0, made.stderr)
        assert.strictEqual(await readFile(join(base, "made"), "utf8"), "new\n")
        const none = await bickford("run", "--store", store, "--", "cat", "made")
        assert.strictEqual(none.stdout, "new\n", none.stderr)
        assert.deepStrictEqual(await readdir(store), [])
      }))

    it("is told of signals, and its branch is kept where that is asked", () =>
      withBase(uid, async ({ bickford, running, store }) => {
        const script = 'trap "echo stopped > stopped; exit 9" TERM; echo ready; while :; do sleep 0.1; done'
        const child = running("run", "--quiet", "--store", store, "--branch", "told", "--", "sh", "-c", script)
        let said = ""
        child.stdout?.setEncoding("utf8").on("data", (text: string) => {
          said += text
          if (said.includes("ready")) child.kill("SIGTERM")
        })
        assert.deepStrictEqual(await ended(child), { status: 9, signal: null })
        const kept = await bickford("run", "--store", store, "--keep", "--", "true")
        assert.strictEqual(kept.status, 0, kept.stderr)
        const names = (await readdir(store)).filter((name) => name.endsWith(".branch")).sort()
        assert.lengthOf(names, 2)
        assert.match(names.join(" "), /^run-\S+\.branch told\.branch$/)
      }))

    it("whose server is killed leaves its changes, and nothing of the connection", () =>
      withBase(uid, async ({ base, bickford, store }) => {
        const script = "echo new > made; kill -9 $PPID"
        const ran = await bickford("run", "--quiet", "--store", store, "--branch", "try", "--", "sh", "-c", script)
        assert.strictEqual(ran.status, 137, ran.stderr)
        assert.notInclude((await readdir(store)).join(" "), "-nodes")
        const diff = await bickford("diff", "--store", store, "-b", "try", base)
        assert.strictEqual(diff.stdout, "A made\n", diff.stderr)
      }))

    it("may be npm test in a fresh clone, which leaves nothing", () =>
      withBase(uid, async ({ base, bickford, store }) => {
        const made = [
          "git init -q origin",
          `echo '{ "scripts": { "test": "node --test" } }' > origin/package.json`,
          `echo 'import { test } from "node:test"; import { writeFileSync } from "node:fs";' > origin/all.test.mjs`,
          `echo 'test("writes", () => { writeFileSync("scratch", "x") })' >> origin/all.test.mjs`,
          "git -C origin add -A",
          "git -C origin -c user.name=test -c user.email=test@localhost commit -qm all",
          "git clone -q origin clone"
        ]
        const cloned = await bickford(
          "run",
          "--store",
          store,
          "--commit-on-success",
          "--",
          "sh",
          "-ec",
          made.join("\n")
        )
        assert.strictEqual(cloned.status, 0, cloned.stderr)
        const before = await treeOf(join(base, "clone"))
        const script = "cd clone && npm test && test -f scratch && rm scratch"
        const tested = await bickford("run", "--store", store, "--", "sh", "-ec", script)
        assert.strictEqual(tested.status, 0, tested.stdout + tested.stderr)
        assert.match(tested.stdout, /pass 1$/m)
        assert.deepStrictEqual(await treeOf(join(base, "clone")), before)
        const left = await bickford("branch", "list", "--store", store, base)
        assert.strictEqual(left.stdout, "", left.stderr)
      }))

    it("may be a shell", () =>
      withBase(uid, async ({ base, running, store }) => {
        const child = running("shell", "--store", store, "--branch", "typed", "--commit-on-success")
        child.stdin?.end("echo typed > typed\n")
        assert.deepStrictEqual(await ended(child), { status: 0, signal: null })
        assert.strictEqual(await readFile(join(base, "typed"), "utf8"), "typed\n")
      }))
  })
}
