/** Which calls a query asks for. */
import { assert, it } from "@effect/vitest"
import * as Result from "effect/Result"
import { parseCallFilter } from "../src/control/callFilter.ts"

const parsed = (query: string) => Result.getOrThrow(parseCallFilter(new URLSearchParams(query)))
const problem = (query: string) => {
  const result = parseCallFilter(new URLSearchParams(query))
  return Result.isFailure(result) ? result.failure.message : "none"
}

it("a query names conditions; an empty one is none", () => {
  assert.deepStrictEqual(parsed(""), {})
  assert.deepStrictEqual(parsed("op=&path="), {})
  assert.deepStrictEqual(parsed("op=read,Write&path=/a%20b&pid=7&error=enoent&slow=10ms"), {
    opcodes: ["READ", "WRITE"],
    path: "/a b",
    pid: 7,
    error: "ENOENT",
    microseconds: 10_000
  })
  assert.deepStrictEqual(parsed("share=0.5"), { share: 0.005 })
  assert.deepStrictEqual(parsed("error=Any&slow=2"), { error: "any", microseconds: 2_000_000 })
})

it("what is wrong is said, with the near miss", () => {
  assert.strictEqual(problem("op=LOKUP"), "there is no operation LOKUP; did you mean LOOKUP?")
  assert.strictEqual(problem("error=ENOEN"), "there is no error ENOEN; did you mean ENOENT?")
  assert.strictEqual(problem("pid=self"), "self is no process id")
  assert.strictEqual(problem("slow=soon"), "soon is no length of time, as 10ms or 2s")
  for (const share of ["0", "101", "all", "-1"])
    assert.strictEqual(problem(`share=${share}`), `${share} is no share of the time, as 1 (percent)`)
  assert.match(problem("pth=/a"), /^calls are not chosen by pth; did you mean path\?$/)
  assert.match(problem("constructor=1"), /^calls are not chosen by constructor/)
})
