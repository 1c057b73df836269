/** The project's documents, the fenced blocks in them, and the commands of the examples. */
import { readdir } from "node:fs/promises"
import { join } from "node:path"
import { fileURLToPath } from "node:url"

/** The checkout. */
export const root = fileURLToPath(new URL("../..", import.meta.url))

/** The absolute paths of README, CONTRIBUTING, CHANGELOG, SECURITY, the packages' READMEs and everything in docs but the reference, which is generated. */
export const documents = async (): Promise<ReadonlyArray<string>> => {
  const pages = await readdir(join(root, "docs"), { recursive: true })
  const packages = await readdir(join(root, "packages"))
  return [
    ...["README.md", "CONTRIBUTING.md", "CHANGELOG.md", "SECURITY.md"].map((name) => join(root, name)),
    ...packages.sort().map((name) => join(root, "packages", name, "README.md")),
    ...pages
      .filter((page) => page.endsWith(".md") && !page.startsWith("reference/"))
      .sort()
      .map((page) => join(root, "docs", page))
  ]
}

/** The absolute paths of the examples: programs, whose first comment says how they are run. */
export const examples = async (): Promise<ReadonlyArray<string>> => {
  const names = await readdir(join(root, "examples"))
  return names
    .filter((name) => name.endsWith(".ts"))
    .sort()
    .map((name) => join(root, "examples", name))
}

/** A fenced block: the first word of its info string, and the rest of it. */
export interface Fence {
  /** "" where none is named. */
  readonly language: string
  readonly info: string
  readonly content: string
  /** Why no test runs it: what a comment `<!-- not run: ... -->` on the line before it says. */
  readonly notRun: string | undefined
}

/** The fenced blocks of a document, in order. */
export const fencesOf = (text: string): ReadonlyArray<Fence> =>
  Array.from(
    text.matchAll(/^(?:<!-- not run: ([^\n]*) -->\n)?```(\w*)[ ]*([^\n]*)\n([\s\S]*?)^```$/gm),
    ([, notRun, language = "", info = "", content = ""]) => ({ language, info, content, notRun })
  )

/** The commands in the first comment of an example, which stand in backquotes there, as one block. */
export const commandsOf = (program: string): ReadonlyArray<Fence> => {
  const [comment = ""] = /^\/\*\*[\s\S]*?\*\//.exec(program) ?? []
  const commands = Array.from(comment.matchAll(/`((?:npm|cat|ls|head|curl) [^`]*)`/g), ([, command = ""]) => command)
  return [{ language: "sh", info: "", content: `${commands.join("\n")}\n`, notRun: undefined }]
}
