/** Every relative link and anchor in the documents leads somewhere. */
import { assert, it } from "@effect/vitest"
import { existsSync } from "node:fs"
import { readFile } from "node:fs/promises"
import { dirname, join, relative } from "node:path"
import { documents, root } from "./documents.ts"

/** A document without its code, in which nothing is a link. */
const prose = (text: string): string =>
  text.replace(/^```[\s\S]*?^```/gm, "").replace(/`[^`\n]*`/g, (code) => code.replace(/[[\]()<>]/g, ""))

/** The anchors of a document's headings, as GitHub makes them. */
const anchorsOf = (text: string): ReadonlySet<string> => {
  const anchors = new Set<string>()
  for (const [, heading = ""] of text.replace(/^```[\s\S]*?^```/gm, "").matchAll(/^#{1,6} +(.+)$/gm)) {
    const slug = heading
      .trim()
      .toLowerCase()
      .replace(/[^\p{L}\p{N}\- _]/gu, "")
      .replaceAll(" ", "-")
    let anchor = slug
    for (let n = 1; anchors.has(anchor); n++) anchor = `${slug}-${n}`
    anchors.add(anchor)
  }
  return anchors
}

/** What is wrong with a link, if anything. */
const fault = async (file: string, target: string): Promise<string | undefined> => {
  if (/^[a-z][a-z0-9+.-]*:/i.test(target)) return undefined
  const [path = "", anchor] = decodeURIComponent(target).split("#", 2)
  const resolved = path === "" ? file : join(dirname(file), path)
  const name = relative(root, file)
  if (!existsSync(resolved)) return `${name}: ${target} leads nowhere`
  if (anchor === undefined || !resolved.endsWith(".md")) return undefined
  return anchorsOf(await readFile(resolved, "utf8")).has(anchor)
    ? undefined
    : `${name}: ${target} names a heading that is not there`
}

it("relative links and anchors resolve", async () => {
  const faults: Array<string> = []
  let links = 0
  for (const file of await documents()) {
    for (const [, target = ""] of prose(await readFile(file, "utf8")).matchAll(/\]\(\s*<?([^)>\s]+)>?[^)]*\)/g)) {
      links++
      const found = await fault(file, target)
      if (found !== undefined) faults.push(found)
    }
  }
  assert.isAbove(links, 0)
  assert.deepStrictEqual(faults, [])
})

it("every page of docs is in the index", async () => {
  const index = await readFile(join(root, "docs/README.md"), "utf8")
  const missing = (await documents())
    .map((file) => relative(join(root, "docs"), file))
    // Sections of several pages have indices of their own.
    .filter(
      (page) => !page.startsWith("..") && page !== "README.md" && (!page.includes("/") || page.endsWith("/README.md"))
    )
    .filter((page) => !index.includes(`](${page}`))
  assert.deepStrictEqual(missing, [])
})

it("scripts and files that pages name as commands are there", async () => {
  const manifest: unknown = JSON.parse(await readFile(join(root, "package.json"), "utf8"))
  const scripts = typeof manifest === "object" && manifest !== null && "scripts" in manifest ? manifest.scripts : {}
  const missing: Array<string> = []
  let names = 0
  for (const file of await documents()) {
    // What a page has its reader make has scripts of its own, and so have changes of the past.
    if (/CHANGELOG|workspace-tutorial|installing\.md$/.test(file)) continue
    const text = await readFile(file, "utf8")
    for (const [, script = ""] of text.matchAll(/\bnpm run (?:--silent )?([a-z][a-z0-9:-]*)/g)) {
      names++
      if (!Object.hasOwn(Object(scripts), script)) missing.push(`${relative(root, file)}: npm run ${script}`)
    }
    for (const [, program = ""] of text.matchAll(/`node (?:--[\w=-]+ )*([\w/.-]+\.(?:ts|mjs))/g)) {
      if (!program.includes("/")) continue
      names++
      if (!existsSync(join(root, program))) missing.push(`${relative(root, file)}: ${program}`)
    }
  }
  assert.isAbove(names, 30)
  assert.deepStrictEqual(missing, [])
})
