/** Tables of fields in the documents name every field that the types have, and no other. */
import { assert, it } from "@effect/vitest"
import { readFile } from "node:fs/promises"
import { join } from "node:path"
import { root } from "./documents.ts"

/** The fields of an interface, from its source. */
const fieldsOf = async (file: string, name: string): Promise<ReadonlyArray<string>> => {
  const source = await readFile(join(root, file), "utf8")
  const [, body = ""] = new RegExp(`^export interface ${name}\\b[^{]*\\{\\n([\\s\\S]*?)^\\}`, "m").exec(source) ?? []
  return Array.from(body.matchAll(/^ {2}readonly (\w+)\??:/gm), ([, field = ""]) => field)
}

/** The names in code in the first cells of a page's tables. */
const rowsOf = async (page: string, heading?: string): Promise<ReadonlySet<string>> => {
  const text = await readFile(join(root, "docs", page), "utf8")
  const section = heading === undefined ? text : text.slice(text.indexOf(heading))
  const cells = Array.from(section.matchAll(/^\| ([^|]+) \|/gm), ([, cell = ""]) => cell)
  return new Set(cells.flatMap((cell) => Array.from(cell.matchAll(/`(\w+)(?:\(\w*\))?`/g), ([, name = ""]) => name)))
}

it("mount-options.md has every option of mount", async () => {
  const ofDevice = await fieldsOf("packages/transport/src/mounting/mount.ts", "MountDeviceOptions")
  const own = await fieldsOf("packages/session/src/MountOptions.ts", "MountOptions")
  const fields = [...new Set([...ofDevice.filter((field) => field !== "fusermount"), ...own])]
  const ofSession = await fieldsOf("packages/session/src/SessionOptions.ts", "SessionOptions")
  const rows = await rowsOf("mount-options.md")
  assert.isAbove(fields.length, 15)
  assert.deepStrictEqual(
    fields.filter((field) => !rows.has(field)),
    []
  )
  assert.deepStrictEqual(
    [...rows].filter((row) => row !== "signal" && !fields.includes(row) && !ofSession.includes(row)),
    []
  )
})

it("request-context.md has every field of the context", async () => {
  const fields = await fieldsOf("packages/session/src/RequestContext.ts", "RequestContext")
  const rows = await rowsOf("request-context.md")
  assert.isAbove(fields.length, 8)
  assert.deepStrictEqual(
    fields.filter((field) => !rows.has(field)),
    []
  )
  assert.deepStrictEqual(
    [...rows].filter((row) => !fields.includes(row)),
    []
  )
})

it("path-filesystems.md has every callback and option", async () => {
  const callbacks = await fieldsOf("packages/backends/src/path/callbacks.ts", "PathCallbacks")
  const options = await fieldsOf("packages/backends/src/path/served.ts", "PathOptions")
  const text = await readFile(join(root, "docs/path-filesystems.md"), "utf8")
  assert.isAbove(callbacks.length, 30)
  assert.deepStrictEqual(
    [...callbacks, ...options].filter((name) => !new RegExp(`\`${name}[\`(]`).test(text)),
    []
  )
})

it("testing.md has every call by path", async () => {
  const calls = await fieldsOf("packages/session/src/calls/PathCalls.ts", "PathCalls")
  const text = await readFile(join(root, "docs/testing.md"), "utf8")
  assert.isAbove(calls.length, 10)
  assert.deepStrictEqual(
    calls.filter((name) => !text.includes(`\`${name}(`)),
    []
  )
})
