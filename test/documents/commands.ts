/**
 * `npm run test:commands -- [PAGE ...]`: every command and program of the documents and of the examples is run, where a reader would run it: in
 * namespaces with a /srv, /etc, /tmp and home directory of their own, and with no network but the loopback. What cannot be run here says why on the
 * line before it, `<!-- not run: ... -->`; those reasons, and what is done otherwise, are printed and counted.
 */
import assert from "node:assert/strict"
import { mkdir, mkdtemp, readFile, realpath, rm } from "node:fs/promises"
import { tmpdir } from "node:os"
import { join, relative } from "node:path"
import { after, describe, it } from "node:test"
import { postgresPrograms } from "../../packages/backends/test/postgres/cluster.ts"
import { attempt } from "../mount/processes.ts"
import { patienceMilliseconds } from "../patience.ts"
import { commandsOf, documents, examples, fencesOf, root } from "./documents.ts"

/** Blocks that other tests run, compile or compare. */
const elsewhere: ReadonlyArray<{ readonly page: string; readonly language?: string; readonly test: string }> = [
  { page: "docs/tutorial.md", test: "test/documents/tutorial.test.ts" },
  { page: "docs/workspace-tutorial.md", test: "test/documents/workspaceTutorial.test.ts" },
  { page: "docs/typescript.md", language: "json", test: "test/documents/snippets.test.ts" },
  ...["README.md", "docs/daemon.md", "docs/workspaces.md", "docs/writing-a-filesystem.md"].map((page) => ({
    page,
    language: "text",
    test: "test/documents/shown.test.ts"
  }))
]

/** What follow/main.ts can follow. */
const followed: ReadonlyArray<string> = ["sh", "ts", "sql", "toml", "fstab"]

/** Most time goes into waiting for processes to start, and for mounts. */
const pagesAtOnce = 2

/** What Node has compiled of the sources: each command of a page is a process of its own. */
const compileCache = join(root, "node_modules", ".cache", "commands")

/** Makes the namespaces' own places, with nothing of others in them, but for a checkout in /tmp; then the arguments are a command. */
const enter = `
set -eu
if command -v ip >/dev/null; then ip link set lo up
else python3 -c 'import fcntl, socket, struct; fcntl.ioctl(socket.socket(), 0x8914, struct.pack("16sh14s", b"lo", 0x49, b""))'
fi
sed -n 's/^[^ ]* \\([^ ]*\\) fuse.*/\\1/p' /proc/self/mounts | while read -r place; do umount --lazy "$place"; done
for place in /srv /run /var/lib; do mount -t tmpfs tmpfs "$place"; done
mkdir /run/etc /run/bin /run/home /run/checkout
mount --bind "$2" /run/checkout
mount -t tmpfs tmpfs /tmp
case $2 in /tmp/*) mkdir -p "$2" && mount --move /run/checkout "$2";; esac
cp -a /etc/. /run/etc && mount --bind /run/etc /etc
cp -a /usr/local/bin/. /run/bin
printf '#!/bin/sh\\nexec %s --conditions=development --disable-warning=ExperimentalWarning %s/packages/bickford/src/cli/main.ts "$@"\\n' "$1" "$2" >/run/bin/bickford
chmod 755 /run/bin/bickford
mount --bind /run/bin /usr/local/bin
export HOME=/run/home
unset XDG_DATA_HOME XDG_STATE_HOME XDG_CACHE_HOME XDG_CONFIG_HOME XDG_RUNTIME_DIR
shift 2
exec "$@"`

interface Seen {
  readonly commands: number
  readonly blocks: number
  readonly instead: ReadonlyArray<string>
}

/** Follows a page in an empty directory. */
const follow = async (page: string): Promise<Seen> => {
  const directory = await realpath(await mkdtemp(join(tmpdir(), "bickford-follow-")))
  try {
    const { NODE_OPTIONS: _, NODE_V8_COVERAGE: __, VITEST: ___, ...inherited } = process.env
    const env = { ...inherited, NODE_COMPILE_CACHE: compileCache }
    const namespaces = ["--mount", "--propagation=private", "--pid", "--fork", "--kill-child", "--mount-proc", "--net"]
    const flags = ["--conditions=development", "--disable-warning=ExperimentalWarning"]
    const program = [process.execPath, ...flags, join(root, "test/documents/follow/main.ts"), page, directory]
    // A session of its own: a command that asks on the terminal finds none.
    const command = ["--wait", "unshare", ...namespaces, "sh", "-c", enter, "sh", process.execPath, root, ...program]
    // Each of its commands has its own backstop, which tells more.
    const options = { env, timeoutMilliseconds: 4 * patienceMilliseconds }
    const { signal, status, stderr, stdout } = await attempt("setsid", command, options)
    assert.strictEqual(signal ?? status, 0, `${stdout}${stderr}`)
    return JSON.parse(stdout.trim().split("\n").at(-1) ?? "")
  } finally {
    await rm(directory, { recursive: true, force: true })
  }
}

const pages = await Promise.all([
  ...(await documents()).map(async (file) => ({
    page: relative(root, file),
    fences: fencesOf(await readFile(file, "utf8"))
  })),
  ...(await examples()).map(async (file) => ({
    page: relative(root, file),
    fences: commandsOf(await readFile(file, "utf8"))
  }))
])

const otherTest = (page: string, language: string): string | undefined =>
  elsewhere.find((one) => one.page === page && (one.language ?? language) === language)?.test

const blocks = pages.flatMap(({ fences, page }) => fences.map((fence) => ({ page, ...fence })))
const notRun = blocks.filter((block) => block.notRun !== undefined)
const byOthers = blocks.filter((block) => block.notRun === undefined && otherTest(block.page, block.language))
/** Pages to follow, from the command line; else all. */
const chosen = process.argv.slice(2)
const toFollow = blocks.filter(
  (block) =>
    !notRun.includes(block) && !byOthers.includes(block) && (chosen.length === 0 || chosen.includes(block.page))
)
const instead: Array<string> = []
let commands = 0

const report = (): void => {
  const lines = [
    `${toFollow.length} blocks with ${commands} commands are run, ${byOthers.length} by other tests:`,
    ...elsewhere.map(({ language = "all", page, test }) => `  ${page} (${language}): ${test}`),
    `${instead.length} commands are done otherwise:`,
    ...instead.map((line) => `  ${line}`),
    `${notRun.length} blocks are not run:`,
    ...notRun.map((block) => `  ${block.page}: ${block.notRun}`)
  ]
  process.stderr.write(`${lines.join("\n")}\n`)
}

await mkdir(compileCache, { recursive: true })
// There is no registry where the pages are followed.
postgresPrograms()
after(report)

describe("the commands and programs of the documents", { concurrency: pagesAtOnce }, () => {
  for (const page of new Set(toFollow.map((block) => block.page))) {
    it(page, async () => {
      const seen = await follow(page)
      instead.push(...seen.instead.map((reason) => `${page}: ${reason}`))
      commands += seen.commands
      assert.strictEqual(seen.blocks, toFollow.filter((block) => block.page === page).length)
    })
  }

  it("are in a language that is followed, or say why they are not", () => {
    const unknown = toFollow.filter(({ language }) => !followed.includes(language))
    assert.deepStrictEqual(
      unknown.map(({ content, language, page }) => `${page}: ${language}: ${content.slice(0, 40)}`),
      []
    )
  })

  it("are followed by the tests that are said to do so", async () => {
    for (const { page, test } of elsewhere)
      assert.ok((await readFile(join(root, test), "utf8")).includes(page), `${test}: ${page}`)
  })
})
