/**
 * The completions that the Debian package has, in the shells that they are for. A shell that is not there is told on stderr, and
 * counted as skipped: apt-get install zsh fish
 */
import { assert, describe, it } from "@effect/vitest"
import { spawnSync } from "node:child_process"
import { mkdtempSync, rmSync } from "node:fs"
import { tmpdir } from "node:os"
import { join } from "node:path"
import { afterAll } from "vitest"
import { root } from "../mount/bickford.ts"
import { run } from "../mount/processes.ts"

const made = mkdtempSync(join(tmpdir(), "bickford-completions-"))
afterAll(() => rmSync(made, { recursive: true }))
const flags = ["--conditions=development", "--disable-warning=ExperimentalWarning"]
spawnSync(process.execPath, [...flags, join(root, "scripts", "manual.ts"), made], { stdio: "inherit" })

/** What is typed before the tab key, and the words that it can become. */
const typed: ReadonlyArray<readonly [string, string]> = [
  ["bickford mou", "mount"],
  ["bickford doc", "doctor"],
  ["bickford branch fo", "fork"],
  ["bickford mount --backg", "--background"],
  ["bickford diff --pat", "--patch"],
  ["bickford run --commit-on", "--commit-on-success"]
]

/** What each shell offers in place of the last word of a text. */
const shells: { readonly [shell: string]: (text: string) => Promise<ReadonlyArray<string>> } = {
  bash: async (text) => {
    const script = `
      . "$1"; COMP_LINE=$2; COMP_WORDS=($2); COMP_CWORD=$((\${#COMP_WORDS[@]} - 1))
      "$(complete -p bickford | sed 's/.*-F \\([^ ]*\\).*/\\1/')" bickford "\${COMP_WORDS[-1]}" "\${COMP_WORDS[-2]}"
      printf '%s\\n' "\${COMPREPLY[@]}"`
    return lines(await run("bash", ["-c", script, "bash", join(made, "bickford.bash"), text]))
  },
  zsh: async (text) => {
    const given = await run("zsh", ["-f", join(import.meta.dirname, "complete.zsh"), made, text], {
      env: { ...process.env, TERM: "dumb" }
    })
    return given.trim().split(" ").slice(-1)
  },
  fish: async (text) => {
    const script = "source $argv[1]; complete --do-complete $argv[2]"
    const said = await run("fish", ["--no-config", "--command", script, join(made, "bickford.fish"), text])
    // A description follows a tab.
    return lines(said).map((line) => line.split("\t")[0] ?? "")
  }
}

const lines = (text: string): ReadonlyArray<string> => text.split("\n").filter((line) => line !== "")

const isThere = (shell: string): boolean => spawnSync(shell, ["--version"], { stdio: "ignore" }).status === 0

for (const [shell, complete] of Object.entries(shells)) {
  const there = isThere(shell)
  if (!there) process.stderr.write(`SKIPPED: no ${shell} here to complete in: apt-get install ${shell}\n`)
  describe.skipIf(!there)(`completions in ${shell}`, () => {
    for (const [text, word] of typed)
      it(`${text} becomes ${word}`, async () => {
        assert.include(await complete(text), word)
      })

    it("are of the command alone where nothing fits", async () => {
      assert.notInclude(await complete("bickford nosuch"), "mount")
    })
  })
}
