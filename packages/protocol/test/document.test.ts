import { readFileSync } from "node:fs"
import { expect, it } from "vitest"
import { protocolDocument } from "../../../scripts/protocol-doc.ts"

it("docs/protocol.md is what the opcode table says", () => {
  expect(readFileSync(new URL("../../../docs/protocol.md", import.meta.url), "utf8")).toBe(protocolDocument())
})
