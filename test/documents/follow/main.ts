/**
 * `node main.ts PAGE DIRECTORY`: follows the blocks of a page, in an empty directory and in namespaces that are this
 * process's own (test/documents/commands.ts). Prints what it did, as JSON.
 */
import { mkdir, readFile, writeFile } from "node:fs/promises"
import { dirname, join } from "node:path"
import { fencesOf, root } from "../documents.ts"
import { before, everywhere, workplaces } from "./places.ts"
import { runBlock } from "./program.ts"
import { followShell } from "./shell.ts"
import { Terminal } from "./Terminal.ts"

const [, , page = "", empty = ""] = process.argv
const directory = workplaces[page] ?? empty

const seen = { commands: 0, programs: 0, instead: new Array<string>() }

const blocksOf = async (document: string, language: string) =>
  fencesOf(await readFile(join(root, document), "utf8")).filter((fence) => fence.language === language)

/** What pages take to be there: the configuration of docs/daemon.md, the tutorial's files, the tsconfig.json of docs/typescript.md. */
const writeFiles = async (): Promise<void> => {
  for (const { content } of await blocksOf("docs/daemon.md", "toml")) await writeFile("/etc/bickford.toml", content)
  for (const { content, info } of await blocksOf("docs/tutorial.md", "ts"))
    await writeFile(join(directory, info), content)
  for (const { content } of await blocksOf("docs/typescript.md", "json"))
    await writeFile(join(directory, "tsconfig.json"), content)
}

const terminal = new Terminal(directory, {
  ...process.env,
  LC_ALL: "C",
  PATH: `${join(root, "node_modules/.bin")}:${dirname(process.execPath)}:${process.env["PATH"]}`,
  NODE_OPTIONS: "--conditions=development --disable-warning=ExperimentalWarning"
})

await mkdir(directory, { recursive: true })
await terminal.run(everywhere)
await terminal.run(`ln -s ${join(root, "node_modules")} node_modules`)
await writeFiles()
await terminal.run(before[page] ?? "true")
const fences = fencesOf(await readFile(join(root, page), "utf8"))
for (const [index, { content, info, language, notRun }] of fences.entries()) {
  if (notRun !== undefined) continue
  if (language === "sh") {
    seen.commands += await followShell(terminal, content, (reason) => seen.instead.push(reason))
  } else if (language === "ts") {
    const file = info === "" ? `block${index}.${content.includes("@effect/vitest") ? "test." : ""}ts` : info
    await writeFile(join(directory, file), content)
    await runBlock(terminal, directory, file, content)
    seen.programs++
  }
}
await terminal.interrupt()
console.log(JSON.stringify(seen))
