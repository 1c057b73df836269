/**
 * Writes docs/protocol.md from the opcode table; with --check, fails when the file is not what it would write.
 * Run: `node --conditions=development scripts/protocol-doc.ts [--check]`
 */
import { readFileSync, writeFileSync } from "node:fs"
import { protocolVersion } from "@bickford/protocol"
import { notificationTable, type OpcodeRow, opcodeTable } from "@bickford/protocol/codec"

const file = new URL("../docs/protocol.md", import.meta.url)

const traitsOf = (row: OpcodeRow): string => {
  const traits: Array<string> = []
  if (!row.hasReply) traits.push(row.name === "INTERRUPT" ? "reply optional" : "no reply")
  if (row.changesNamespace) traits.push("changes names")
  else if (row.traits.mutates) traits.push("writes")
  if (row.enosysIsSticky) traits.push("ENOSYS is remembered")
  if (row.traits.onlyLooks) traits.push("interruptible by a fatal signal")
  else if (row.interruptible) traits.push("interruptible")
  return traits.join(", ")
}

const rowOf = (row: OpcodeRow): string =>
  `| ${[
    row.opcode,
    row.name,
    row.since.join("."),
    "yes",
    "yes",
    row.bySession ? "by the session" : `\`${row.op}\``,
    row.tested ? "yes" : "no",
    traitsOf(row)
  ].join(" | ")} |`

/** The whole document. */
export const protocolDocument = (): string => `# The protocol

FUSE ${protocolVersion.major}.${protocolVersion.minor}, down to ${protocolVersion.major}.${protocolVersion.oldestMinor}. Generated from the table in
\`packages/protocol/src/opcodes.ts\` by \`scripts/protocol-doc.ts\`; do not edit.

Requests and replies are decoded and encoded both ways, so a test can play the kernel. "Dispatched" names the
backend's operation. "Real kernel" means that a request recorded from Linux 6.18 decodes and encodes byte for byte,
and so does the reply which that kernel took; SETUPMAPPING and REMOVEMAPPING come only on DAX mounts (virtiofs),
which \`/dev/fuse\` never is.

| opcode | name | since | decode | encode | dispatched | real kernel | |
| --- | --- | --- | --- | --- | --- | --- | --- |
${opcodeTable
  .filter((row) => row !== undefined)
  .map(rowOf)
  .join("\n")}

Not spoken: CUSE_INIT (character devices), and INIT with its bytes swapped.

## Notifications

| code | name | since | encode | decode | real kernel |
| --- | --- | --- | --- | --- | --- |
${notificationTable.map((row) => `| ${row.code} | ${row.name} | ${row.since.join(".")} | yes | yes | yes |`).join("\n")}
`

if (import.meta.main) {
  const wanted = protocolDocument()
  if (process.argv.includes("--check")) {
    if (readFileSync(file, "utf8") !== wanted) {
      console.error("docs/protocol.md is not what the opcode table says: run scripts/protocol-doc.ts")
      process.exitCode = 1
    }
  } else writeFileSync(file, wanted)
}
