/**
 * Writes docs/coming-from.md from the rows in scripts/coming-from; with --check, fails when the file is not what it would write.
 * Run: `node --conditions=development scripts/coming-from-doc.ts [--check]`
 */
import { readFileSync, writeFileSync } from "node:fs"
import { egg } from "./coming-from/egg.ts"
import { libfuse } from "./coming-from/libfuse.ts"
import { qfuse } from "./coming-from/qfuse.ts"
import type { Counterpart, Document, Row, Section } from "./coming-from/Row.ts"
import { wick } from "./coming-from/wick.ts"

const file = new URL("../docs/coming-from.md", import.meta.url)

export const documents: ReadonlyArray<Document> = [libfuse, wick, egg, qfuse]

const named = (counterpart: Counterpart): string => {
  if ("option" in counterpart) return `\`-o ${counterpart.option}\``
  return "of" in counterpart
    ? `\`${counterpart.of}.${counterpart.name}\``
    : `\`${counterpart.name}\` of \`${counterpart.from}\``
}

const tested = ({ test }: Row): string => (typeof test === "string" ? test : `\`${test[0]}\``)

const cell = (text: string): string => text.replaceAll("|", "\\|")

const rowOf = (row: Row): string =>
  `| ${[row.theirs, row.ours.map(named).join(", ") || "none", row.note ?? "", tested(row)].map(cell).join(" | ")} |`

const sectionOf = ({ rows, title }: Section): string => `### ${title}

| there | here | what is different | test |
| --- | --- | --- | --- |
${rows.map(rowOf).join("\n")}
`

const capital = (text: string): string => text.charAt(0).toUpperCase() + text.slice(1)

const documentOf = ({ introduction, sections, system }: Document): string => `## ${capital(system)}

${introduction}

${sections.map(sectionOf).join("\n")}`

/** The whole page. */
export const comingFromDocument = (): string => `# Coming from another FUSE library

What each function, operation, error and callback of ${documents.map(({ system }) => system).join(", ")} is called here. Made from
\`scripts/coming-from/\` by \`scripts/coming-from-doc.ts\`; do not edit. A test checks that every name exists and that every test is there.

${documents.map(documentOf).join("\n")}`

if (import.meta.main) {
  const wanted = comingFromDocument()
  if (process.argv.includes("--check")) {
    if (readFileSync(file, "utf8") !== wanted) {
      console.error("docs/coming-from.md is not what its rows say: run scripts/coming-from-doc.ts")
      process.exitCode = 1
    }
  } else writeFileSync(file, wanted)
}
