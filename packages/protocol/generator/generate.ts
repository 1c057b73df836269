/**
 * Writes the protocol's generated files; with --check, fails when a file is not what it would write.
 * Run: `node --conditions=development packages/protocol/generator/generate.ts [--check]`
 */
import { readFileSync, writeFileSync } from "node:fs"
import { root } from "./abi.ts"
import { recordsModule } from "./records.ts"
import { requestsModule } from "./requests.ts"
import { nativeHeader, opcodesModule, structsModule } from "./structs.ts"
import { messagesModule, modelsModule } from "./types.ts"

const made = "Made by packages/protocol/generator; do not edit."

const files: ReadonlyArray<readonly [path: string, content: string]> = [
  ["packages/protocol/src/generated/structs.ts", `// ${made}\n${structsModule()}`],
  ["packages/protocol/src/generated/opcodes.ts", `// ${made}\n${opcodesModule()}`],
  ["packages/protocol/src/generated/messages.ts", `// ${made}\n${messagesModule()}`],
  ["packages/protocol/src/generated/records.ts", `// ${made}\n${recordsModule()}`],
  ["packages/protocol/src/generated/requests.ts", `// ${made}\n${requestsModule()}`],
  ["packages/protocol/test/generated/models.ts", `// ${made}\n${modelsModule()}`],
  ["native/src/fuse_wire.h", `// ${made}\n${nativeHeader()}`]
]

const read = (file: URL): string | undefined => {
  try {
    return readFileSync(file, "utf8")
  } catch {
    return undefined
  }
}

const checking = process.argv.includes("--check")
for (const [path, content] of files) {
  const file = new URL(path, root)
  if (!checking) writeFileSync(file, content)
  else if (read(file) !== content) {
    console.error(`${path} is not what the generator makes: run packages/protocol/generator/generate.ts`)
    process.exitCode = 1
  }
}
