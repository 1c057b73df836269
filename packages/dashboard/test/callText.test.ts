/** The wire log's lines as the page shows them. */
import { assert, it } from "@effect/vitest"
import { callText } from "../src/page/callText.ts"

it("a request and its reply are told in one manner, whatever a name holds", () => {
  const request = {
    at: "2026-11-28T06:44:43.792Z",
    type: "request",
    unique: "8",
    opcode: "LOOKUP",
    nodeid: "1",
    name: "a\u202eb\n<i>"
  }
  assert.strictEqual(
    callText(JSON.stringify(request)),
    String.raw`06:44:43.792  LOOKUP  #8  asked  nodeid=1  name=a\u202eb\n<i>`
  )
  const reply = {
    at: "2026-11-28T06:44:43.794Z",
    type: "reply",
    unique: "8",
    opcode: "LOOKUP",
    error: "ENOENT",
    microseconds: 1400
  }
  assert.strictEqual(callText(JSON.stringify(reply)), "06:44:43.794  LOOKUP  #8  answered after 1.4 ms  error=ENOENT")
})

it("what is no line of ours is shown as it is", () => {
  for (const line of ["", "{", "null", "3", "a\tb"]) assert.strictEqual(callText(line), line.replace("\t", "\\t"))
})
