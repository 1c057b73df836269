/** What the page "Hot" adds up. */
import { assert, it } from "@effect/vitest"
import { directoryOf, Tally } from "../src/page/tally.ts"

const call = (fields: object): string =>
  JSON.stringify({ opcode: "LOOKUP", pid: 7, program: "git", microseconds: 10, bytes: 0, arguments: {}, ...fields })

it("calls are added up by path, directory and program; data is what READ gave and WRITE brought", () => {
  const tally = new Tally()
  tally.take(call({ path: "/a/x" }))
  tally.take(call({ path: "/a/x", opcode: "READ", bytes: 4096, microseconds: 5 }))
  tally.take(call({ path: "/a/y", opcode: "WRITE", arguments: { size: 100 }, bytes: 8 }))
  tally.take(call({ pid: 9, program: undefined }))
  tally.take(call({ pid: 0, program: undefined }))
  tally.take('{"missed":40}')
  for (const line of ["", "{", "null", "[]", "3", '{"opcode":1}']) tally.take(line)
  assert.deepStrictEqual([tally.looked, tally.missed], [5, 40])
  assert.deepStrictEqual(tally.top("path", "calls", 9), [
    ["/a/x", { calls: 2, bytes: 4096, microseconds: 15 }],
    ["/a/y", { calls: 1, bytes: 100, microseconds: 10 }]
  ])
  assert.deepStrictEqual(tally.top("directory", "bytes", 1), [["/a", { calls: 3, bytes: 4196, microseconds: 25 }]])
  assert.deepStrictEqual(
    tally.top("program", "calls", 9).map(([name, { calls }]) => [name, calls]),
    [
      ["git", 3],
      ["process 9", 1],
      ["the kernel", 1]
    ]
  )
})

it("the directory of what is in the root, and of the root, is the root", () => {
  assert.deepStrictEqual(["/", "/a", "/a/b", "/a/b/c"].map(directoryOf), ["/", "/", "/a", "/a/b"])
})

it("what is kept is bounded, and what is asked for most stays", () => {
  const tally = new Tally()
  for (let n = 0; n < 20_000; n++) {
    tally.take(call({ path: `/once/${n}` }))
    tally.take(call({ path: "/often" }))
  }
  assert.strictEqual(tally.top("path", "calls", 1)[0]?.[0], "/often")
  assert.isAtMost(tally.top("path", "calls", Number.POSITIVE_INFINITY).length, 2000)
})
