/**
 * `npm run test:commands`: every command and program of the documents is run, where a reader would run it: in namespaces with a /srv, /mnt
 * and /etc of their own. What cannot be run here says why on the line before it, `<!-- not run: ... -->`, and is counted.
 */
import assert from "node:assert/strict"
import { mkdtemp, readFile, realpath, rm } from "node:fs/promises"
import { tmpdir } from "node:os"
import { join, relative } from "node:path"
import { describe, it } from "node:test"
import { run } from "../mount/processes.ts"
import { documents, fencesOf, root } from "./documents.ts"

/** The tutorials have tests of their own (tutorial.test.ts, workspaceTutorial.test.ts). */
const followedElsewhere = ["docs/tutorial.md", "docs/workspace-tutorial.md"]

/** What is no command and no program: it is compared, compiled or read by other tests, or is output. */
const inert = ["console", "sql", "json", "text", "toml"]

/** Makes the namespaces' own places; then the arguments are a command. */
const enter = `
set -eu
for place in /srv /run /var/lib; do mount -t tmpfs tmpfs "$place"; done
mkdir /run/etc /run/bin
cp -a /etc/. /run/etc && mount --bind /run/etc /etc
cp -a /usr/local/bin/. /run/bin
printf '#!/bin/sh\\nexec %s --conditions=development --disable-warning=ExperimentalWarning %s/packages/bickford/src/cli/main.ts "$@"\\n' "$1" "$2" >/run/bin/bickford
chmod 755 /run/bin/bickford
mount --bind /run/bin /usr/local/bin
shift 2
exec "$@"`

interface Seen {
  readonly commands: number
  readonly programs: number
  readonly instead: ReadonlyArray<string>
}

/** Follows a page in an empty directory. */
const follow = async (page: string): Promise<Seen> => {
  const directory = await realpath(await mkdtemp(join(tmpdir(), "bickford-follow-")))
  try {
    const { NODE_OPTIONS: _, NODE_V8_COVERAGE: __, VITEST: ___, ...env } = process.env
    const namespaces = ["--mount", "--propagation=private", "--pid", "--fork", "--kill-child", "--mount-proc"]
    const flags = ["--conditions=development", "--disable-warning=ExperimentalWarning"]
    const program = [process.execPath, ...flags, join(root, "test/documents/follow/main.ts"), page, directory]
    const said = await run("unshare", [...namespaces, "sh", "-c", enter, "sh", process.execPath, root, ...program], {
      env
    })
    return JSON.parse(said.trim().split("\n").at(-1) ?? "")
  } finally {
    await rm(directory, { recursive: true, force: true })
  }
}

const pages = await Promise.all(
  (await documents()).map(async (file) => {
    const fences = fencesOf(await readFile(file, "utf8"))
    return {
      page: relative(root, file),
      fences,
      run: fences.filter(({ language, notRun }) => notRun === undefined && !inert.includes(language)),
      notRun: fences.filter(({ notRun }) => notRun !== undefined)
    }
  })
)

describe("the commands and programs of the documents", () => {
  for (const { page, run: blocks } of pages) {
    if (blocks.length === 0 || followedElsewhere.includes(page)) continue
    it(page, async () => {
      const { commands, instead, programs } = await follow(page)
      if (instead.length > 0) console.log(`${page}: done otherwise: ${instead.join("; ")}`)
      assert.ok(commands + programs > 0)
      assert.strictEqual(programs, blocks.filter(({ language }) => language === "ts").length)
    })
  }

  it("are of a language that is run, or known not to be one", () => {
    const unknown = pages.flatMap(({ fences, page }) =>
      fences
        .filter(({ language }) => ![...inert, "sh", "ts"].includes(language))
        .map(({ language }) => `${page}: ${language}`)
    )
    assert.deepStrictEqual(unknown, [])
  })

  it("that are not run say why", () => {
    const reasons = pages.flatMap(({ notRun, page }) => notRun.map(({ notRun }) => `${page}: ${notRun}`))
    process.stderr.write(
      `${reasons.length} blocks of the documents are not run:\n${reasons.map((line) => `  ${line}\n`).join("")}`
    )
    assert.ok(reasons.length < 12)
  })
})
