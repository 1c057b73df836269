/** What /proc tells of the processes behind calls. */
import { assert, it } from "@effect/vitest"
import { spawn } from "node:child_process"
import { callerOf, traceparentIn } from "../src/worker/callers.ts"

const traceparent = "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01"

it("TRACEPARENT is taken from an environment when it is one", () => {
  const environment = (...variables: ReadonlyArray<string>) => Buffer.from(`${variables.join("\0")}\0`)
  assert.strictEqual(traceparentIn(environment("A=1", `TRACEPARENT=${traceparent}`, "B=2")), traceparent)
  for (const other of [
    "",
    "garbage",
    `01-${traceparent.slice(3)}`,
    `00-${"0".repeat(32)}-b7ad6b7169203331-01`,
    `${traceparent}\nx`
  ])
    assert.isUndefined(traceparentIn(environment(`TRACEPARENT=${other}`)), other)
  assert.isUndefined(traceparentIn(environment(`NOT_TRACEPARENT=${traceparent}`)))
  assert.isUndefined(traceparentIn(Buffer.alloc(0)))
})

it("a process's name and its TRACEPARENT are looked up, and of one that is gone nothing", async () => {
  const child = spawn("sleep", ["1000"], { env: { TRACEPARENT: traceparent }, stdio: "ignore" })
  try {
    await new Promise((resolve) => child.once("spawn", resolve))
    assert.deepStrictEqual(await callerOf(child.pid ?? 0, true), { program: "sleep", traceparent })
    assert.deepStrictEqual(await callerOf(child.pid ?? 0, false), { program: "sleep" })
  } finally {
    child.kill("SIGKILL")
  }
  await new Promise((resolve) => child.once("close", resolve))
  assert.deepStrictEqual(await callerOf(child.pid ?? 0, true), {})
  assert.deepStrictEqual(await callerOf(0, true), {})
})
