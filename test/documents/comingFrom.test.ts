/** docs/coming-from.md names what exists. */
import { assert, describe, it } from "@effect/vitest"
import * as backends from "@bickford/backends"
import * as protocol from "@bickford/protocol"
import * as session from "@bickford/session"
import * as testing from "@bickford/session/testing"
import * as transport from "@bickford/transport"
import * as bickford from "bickford"
import { existsSync, readFileSync } from "node:fs"
import { join } from "node:path"
import { comingFromDocument, documents } from "../../scripts/coming-from-doc.ts"
import type { Exported, Row } from "../../scripts/coming-from/Row.ts"
import { optionTable } from "../../packages/daemon/src/options/table.ts"
import { root } from "../mount/bickford.ts"

const packages: { readonly [From in Exported["from"]]: object } = {
  bickford,
  "@bickford/backends": backends,
  "@bickford/protocol": protocol,
  "@bickford/session": session,
  "@bickford/session/testing": testing,
  "@bickford/transport": transport
}

/** The sources of each package's index, where its types are named. */
const folders: { readonly [From in Exported["from"]]: string } = {
  bickford: "packages/bickford/src/index.ts",
  "@bickford/backends": "packages/backends/src/index.ts",
  "@bickford/protocol": "packages/protocol/src/index.ts",
  "@bickford/session": "packages/session/src/index.ts",
  "@bickford/session/testing": "packages/session/src/testing/index.ts",
  "@bickford/transport": "packages/transport/src/index.ts"
}

const isExported = ({ from, name }: Exported): boolean => {
  let value: unknown = packages[from]
  for (const part of name.split(".")) {
    if ((typeof value !== "object" && typeof value !== "function") || value === null || !(part in value)) {
      // A type has no value: its name stands in the index.
      return (
        !name.includes(".") && new RegExp(`\\btype ${name}\\b`).test(readFileSync(join(root, folders[from]), "utf8"))
      )
    }
    value = Reflect.get(value, part)
  }
  return true
}

const rows = documents.flatMap(({ sections }) => sections.flatMap(({ rows }) => rows))

/** What is wrong with a row; undefined when nothing is. */
const wrong = ({ note, ours, test, theirs }: Row): string | undefined => {
  if (ours.length === 0 && note === undefined) return `${theirs}: no counterpart, and no reason`
  for (const counterpart of ours) {
    if ("option" in counterpart && !(counterpart.option in optionTable))
      return `${theirs}: there is no -o ${counterpart.option}`
    if ("from" in counterpart && !isExported(counterpart))
      return `${theirs}: ${counterpart.from} does not export ${counterpart.name}`
  }
  if (typeof test === "string") return undefined
  const [file, title] = test
  if (!existsSync(join(root, file))) return `${theirs}: there is no ${file}`
  return readFileSync(join(root, file), "utf8").includes(title)
    ? undefined
    : `${theirs}: no test in ${file} is called "${title}"`
}

describe("docs/coming-from.md", () => {
  it("names exports and tests that exist", () => {
    assert.deepStrictEqual(
      rows.map(wrong).filter((problem) => problem !== undefined),
      []
    )
  })

  it("has each name once in a section", () => {
    for (const { sections } of documents) {
      for (const { rows, title } of sections)
        assert.strictEqual(new Set(rows.map(({ theirs }) => theirs)).size, rows.length, title)
    }
  })

  it("is what its rows say", () => {
    assert.strictEqual(readFileSync(join(root, "docs/coming-from.md"), "utf8"), comingFromDocument())
  })
})
