import type { BackendCapabilities } from "@bickford/protocol"
import { expect, it } from "vitest"
import { mountTable } from "../../src/combinators/table/mountTable.ts"

const tableOf = (one: BackendCapabilities, other: BackendCapabilities): BackendCapabilities =>
  mountTable({ "/": { capabilities: one }, "/other": { capabilities: other } }).capabilities ?? {}

it("a table has what all of its backends have", () => {
  expect(tableOf({ flock: true, writebackCache: true }, { flock: true })).toMatchObject({
    flock: true,
    writebackCache: false
  })
})

it("a table can register files with the kernel when one of its backends does", () => {
  expect(tableOf({ passthrough: true }, {}).passthrough).toBe(true)
  expect(tableOf({}, {}).passthrough).toBe(false)
})

it("a table has files opened, whatever its backends do without", () => {
  const lazy = { exportSupport: true, noOpen: true, noOpendir: true }
  expect(tableOf(lazy, lazy)).toMatchObject({ exportSupport: false, noOpen: false, noOpendir: false })
})

it("a table asks for attributes before reads unless none of its backends needs it", () => {
  expect(tableOf({ autoInvalData: false }, {}).autoInvalData).toBe(true)
  expect(tableOf({ autoInvalData: false }, { autoInvalData: false }).autoInvalData).toBe(false)
})
