/**
 * `node main.ts PAGE DIRECTORY`: follows the blocks of a page, in an empty directory and in namespaces that are this
 * process's own (test/documents/commands.ts). Prints what it did, as JSON.
 */
import { appendFile, mkdir, readFile, writeFile } from "node:fs/promises"
import { dirname, join } from "node:path"
import { commandsOf, type Fence, fencesOf, root } from "../documents.ts"
import { before, environments, everywhere, workplaces } from "./places.ts"
import { runBlock } from "./program.ts"
import { followShell } from "./shell.ts"
import { mountpoints, Terminal } from "./Terminal.ts"

const [, , page = "", empty = ""] = process.argv
const directory = workplaces[page] ?? empty

const seen = { commands: 0, blocks: 0, instead: new Array<string>() }

const blocksOf = async (document: string, language: string) =>
  fencesOf(await readFile(join(root, document), "utf8")).filter((fence) => fence.language === language)

/** What pages take to be there: the configuration of docs/daemon.md, the tutorial's files, the tsconfig.json of docs/typescript.md. */
const writeFiles = async (): Promise<void> => {
  const [configuration] = await blocksOf("docs/daemon.md", "toml")
  await writeFile("/etc/bickford.toml", configuration?.content ?? "")
  for (const { content, info } of await blocksOf("docs/tutorial.md", "ts"))
    await writeFile(join(directory, info), content)
  for (const { content } of await blocksOf("docs/typescript.md", "json"))
    await writeFile(join(directory, "tsconfig.json"), content)
}

const terminal = new Terminal(directory, {
  ...process.env,
  ...environments[page],
  LC_ALL: "C",
  SHELL: "/bin/sh",
  // Without a network npm would try again for two minutes.
  npm_config_fetch_retries: "0",
  PATH: `${join(root, "node_modules/.bin")}:${dirname(process.execPath)}:${process.env["PATH"]}`,
  NODE_OPTIONS: "--conditions=development --disable-warning=ExperimentalWarning"
})

/** How the blocks of each language are followed; a number tells blocks of a page apart. */
const ways: { readonly [language: string]: (fence: Fence, index: number) => Promise<void> } = {
  sh: async ({ content }) => {
    seen.commands += await followShell(terminal, content, (reason) => seen.instead.push(reason))
  },
  ts: async ({ content, info }, index) => {
    const file = info === "" ? `block${index}.${content.includes("@effect/vitest") ? "test." : ""}ts` : info
    await writeFile(join(directory, file), content)
    await runBlock(terminal, directory, file, content)
  },
  // Into a database that its server's administrator has made.
  sql: async ({ content }) => {
    await terminal.run(`su postgres -c 'psql -v ON_ERROR_STOP=1 -q administered' <<'end'\n${content}end`)
  },
  // Whether each mount could be served; where only what is added to a mount is shown, it is added to one.
  toml: async ({ content }, index) => {
    const whole = 'source = "memory:"\nmountpoint = "/srv/data"\n'
    const text = content.includes("source =") ? content : content.replace("[mounts.data]\n", `$&${whole}`)
    await writeFile(join(directory, `block${index}.toml`), text)
    await terminal.run(`bickford check block${index}.toml`)
  },
  fstab: async ({ content }) => {
    await appendFile("/etc/fstab", content)
    for (const [, source = "", mountpoint = ""] of content.matchAll(/^(\S+)\s+(\S+)/gm)) {
      await terminal.interrupt((command) => command.includes(source))
      for (const _ of mountpoints().filter((place) => place === mountpoint)) await terminal.run(`umount ${mountpoint}`)
      // A server in the background ends after its unmount, and gives a store free then. The pattern does not match itself.
      const pattern = source.replace(/^./, "[$&]")
      await terminal.run(`while grep -qs '${pattern}' /proc/[1-9]*/cmdline; do sleep 0.1; done`)
      await terminal.run(`mount ${mountpoint} && ls -l ${mountpoint} && umount ${mountpoint}`)
    }
  }
}

await mkdir(directory, { recursive: true })
await terminal.run(everywhere)
await terminal.run(`ln -s ${join(root, "node_modules")} node_modules`)
await writeFiles()
await terminal.run(before[page] ?? "true")
const text = await readFile(join(root, page), "utf8")
for (const [index, fence] of (page.endsWith(".ts") ? commandsOf(text) : fencesOf(text)).entries()) {
  const way = ways[fence.language]
  if (fence.notRun !== undefined || way === undefined) continue
  await way(fence, index)
  seen.blocks++
}
await terminal.interrupt()
console.log(JSON.stringify(seen))
