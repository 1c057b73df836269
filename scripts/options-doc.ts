/**
 * Writes docs/options.md from the table of options; with --check, fails when the file is not what it would write.
 * Run: `node --conditions=development scripts/options-doc.ts [--check]`
 */
import { readFileSync, writeFileSync } from "node:fs"
import { helpOf } from "../packages/daemon/src/options/mountOptions.ts"
import { optionTable, type Row } from "../packages/daemon/src/options/table.ts"
import { sourceKinds } from "../packages/daemon/src/sources/index.ts"

const file = new URL("../docs/options.md", import.meta.url)

const rangeOf = (row: Row): string => {
  if (!("least" in row)) return ""
  return row.takes === "octal" ? `0${row.least.toString(8)} to 0${row.most.toString(8)}` : `${row.least} to ${row.most}`
}

const table = (
  head: string,
  isShown: (row: Row) => boolean,
  cells: (name: string, row: Row) => ReadonlyArray<string>
): string => {
  const rows = Object.entries(optionTable)
    .filter(([, row]) => isShown(row))
    .map(([name, row]) => `| ${cells(name, row).join(" | ")} |`)
  return [head, head.replace(/[^|]+/g, "---"), ...rows].join("\n")
}

const works = (name: string, row: Row): ReadonlyArray<string> => [
  `\`${name}\``,
  row.takes === "nothing" ? "" : row.takes,
  rangeOf(row),
  helpOf(name, row)
]

const refusals = (): string =>
  sourceKinds
    .flatMap(({ kind, refuses }) =>
      Object.entries(refuses).map(([name, why]) => `| \`${name}\` | \`${kind}:\` | ${why} |`)
    )
    .join("\n")

/** The whole document. */
export const optionsDocument = (): string => `# Options of mounts

Generated from the table in \`packages/daemon/src/options/table.ts\` by \`scripts/options-doc.ts\`; do not edit.

They follow \`-o\`, separated by commas: on \`bickford mount\`, on \`bickford SOURCE MOUNTPOINT\` (with \`-oro\` written together, and several
\`-o\`), in \`options\` of the daemon's configuration, in /etc/fstab. A comma or backslash that belongs to a value has a backslash before
it. Of two that contradict each other the later one counts, as in mount(8). An option takes effect, or is refused with the reason.

\`mount -t fuse.bickford\` and /etc/fstab go by mount(8)'s defaults: as root \`mount.fuse3\` adds \`suid\` and \`dev\` unless the line says \`nosuid\`
and \`nodev\`.

The mountpoint \`/dev/fd/N\` is the descriptor of a /dev/fuse that the caller has opened, mounted and passed on (as libfuse has it, and
\`mount.fuse3\` with \`drop_privileges\`): what the kernel is told when it mounts is then the caller's to give, and the unmount is the caller's.

${table("| option | value | range | |", (row) => row.takes !== "refused" && row.by !== "nobody", works)}

## Taken without effect

${table(
  "| option | |",
  (row) => row.takes !== "refused" && row.by === "nobody",
  (name, row) => [`\`${name}\``, row.help]
)}
| \`x-*\` | for other programs |

## Refused

${table(
  "| option | why, and what to use instead |",
  (row) => row.takes === "refused",
  (name, row) => [`\`${name}\``, row.help]
)}

An option that is for some kinds of source is refused for the others. Besides:

| option | source | why |
| --- | --- | --- |
${refusals()}
`

if (import.meta.main) {
  const written = optionsDocument()
  if (process.argv.includes("--check")) {
    if (readFileSync(file, "utf8") !== written) {
      console.error(
        "docs/options.md is not what its table says; run node --conditions=development scripts/options-doc.ts"
      )
      process.exitCode = 1
    }
  } else writeFileSync(file, written)
}
