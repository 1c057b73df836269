import { describe, expect, it } from "vitest"
import { requests } from "../generator/spec.ts"
import { changedNames } from "../src/changedNames.ts"
import { operations, operationsWhere } from "../src/operations.ts"
import { opcodeTable } from "../src/opcodes.ts"

const specs = Object.values(requests)
const opsWith = (holds: (spec: (typeof specs)[number]) => boolean): ReadonlyArray<string> =>
  [...new Set(specs.filter(holds).map(({ op }) => op))].toSorted()
const rowsWith = (holds: (traits: (typeof operations)["read"]) => boolean): ReadonlyArray<string> =>
  Object.entries(operations)
    .filter(([, traits]) => holds(traits))
    .map(([op]) => op)
    .toSorted()

describe("the table of operations", () => {
  it("has a row for each operation of the spec, and no other", () => {
    expect(Object.keys(operations).toSorted()).toEqual(opsWith(() => true))
  })

  it("says of those requests that they take a name which have one", () => {
    const named = opsWith(({ parts = [] }) => parts.some(({ name, part }) => part === "name" && name === "name"))
    expect(rowsWith(({ takesName }) => takesName)).toEqual(named)
  })

  it("names the payload that the request has", () => {
    for (const { op, parts = [] } of specs) {
      const data = parts.find(({ part }) => part === "data")?.name
      expect(Object.entries(operations).find(([name]) => name === op)?.[1].payload, op).toBe(data)
    }
  })

  it("counts every change of names as a change", () => {
    for (const [op, { changesNamespace, mutates }] of Object.entries(operations))
      expect(mutates || !changesNamespace, op).toBe(true)
  })

  it("knows the names that each change of them is about, of a rename and a link too", () => {
    const header = { unique: 2, uid: 0, gid: 0, pid: 1 }
    const named = { ...header, nodeid: 5, name: "name", mode: 0, umask: 0 }
    expect(changedNames({ ...named, op: "mkdir" })).toEqual([[5, "name"]])
    expect(changedNames({ ...named, op: "rename", newdir: 6, newname: "new", flags: 0 })).toEqual([
      [5, "name"],
      [6, "new"]
    ])
    expect(changedNames({ ...header, op: "link", nodeid: 6, oldnodeid: 5, newname: "new" })).toEqual([[6, "new"]])
    expect(changedNames({ ...named, op: "lookup" })).toEqual([])
    expect(changedNames({ ...named, op: "tmpfile", name: "/", flags: 0, openFlags: 0 })).toEqual([])
  })

  it("lets a signal stop nothing that changes the filesystem", () => {
    expect(operationsWhere(({ interruptible, mutates }) => interruptible && mutates)).toEqual([])
  })

  it("counts nothing that changes the filesystem or opens a file as a look", () => {
    expect(operationsWhere(({ mutates, onlyLooks, opensHandle }) => onlyLooks && (mutates || opensHandle))).toEqual([])
  })

  it("has an opcode for each row", () => {
    const ops = new Set(opcodeTable.flatMap((row) => (row === undefined ? [] : [row.op])))
    expect([...ops].toSorted()).toEqual(Object.keys(operations).toSorted())
  })
})
