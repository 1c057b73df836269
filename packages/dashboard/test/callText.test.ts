/** Calls as the page shows them. */
import { assert, it } from "@effect/vitest"
import { callText } from "../src/page/callText.ts"

const call = {
  at: "2026-11-28T06:44:43.792Z",
  opcode: "LOOKUP",
  unique: "8",
  nodeid: "1",
  path: "/a\u202eb\n<i>",
  pid: 7,
  arguments: { name: "a\u202eb\n<i>" },
  bytes: 0,
  error: "ENOENT",
  microseconds: 1400
}

it("a call is told in one manner, whatever a name holds", () => {
  assert.strictEqual(
    callText(JSON.stringify(call)),
    String.raw`06:44:43.792  LOOKUP  /a\u202eb\n<i>  = ENOENT  1.4 ms  process 7`
  )
  assert.strictEqual(
    callText(
      JSON.stringify({
        ...call,
        opcode: "READ",
        path: undefined,
        arguments: { size: 4096, offset: 0 },
        bytes: 12,
        error: undefined,
        microseconds: 30
      })
    ),
    "06:44:43.792  READ  node 1  size=4096 offset=0  = ok, 12 bytes  30 us  process 7"
  )
  assert.include(callText(JSON.stringify({ ...call, program: "g\nit" })), String.raw`  g\nit 7`)
  assert.include(callText(JSON.stringify({ ...call, newPath: "/c" })), String.raw`/a\u202eb\n<i> -> /c  =`)
  assert.strictEqual(callText('{"missed":30}'), "30 more calls, not looked at")
})

it("what is no line of ours is shown as it is", () => {
  for (const line of ["", "{", "null", "3", "a\tb"]) assert.strictEqual(callText(line), line.replace("\t", "\\t"))
})
