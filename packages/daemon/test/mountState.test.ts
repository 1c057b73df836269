import { assert, describe, it } from "@effect/vitest"
import * as fc from "fast-check"
import type { MountState } from "../src/control/StatusReport.ts"
import { type MountEvent, nextState } from "../src/keeper/mountState.ts"

const states: ReadonlyArray<MountState> = ["starting", "running", "draining", "backoff", "failed", "stopped"]
const events: ReadonlyArray<MountEvent> = ["begin", "serving", "drain", "workerEnded", "unmounted", "gaveUp"]

/** The states that events lead to from `starting`. */
const reached = (): ReadonlySet<MountState> => {
  const seen = new Set<MountState>(["starting"])
  for (const state of seen) for (const event of events) seen.add(nextState(state, event))
  return seen
}

describe("the states of a mount", () => {
  it("are all reached", () => assert.deepStrictEqual([...reached()].sort(), [...states].sort()))

  it("lead to running by a worker that starts and serves, and in no other way", () => {
    for (const state of states) {
      for (const event of events) {
        if (nextState(state, event) === "running" && state !== "running")
          assert.deepStrictEqual([state, event], ["starting", "serving"])
      }
      assert.strictEqual(nextState(nextState(state, "begin"), "serving"), "running")
    }
  })

  it("end, and stay so until the mount is begun again", () => {
    fc.assert(
      fc.property(
        fc.array(fc.constantFrom(...events)),
        fc.constantFrom("unmounted" as const, "gaveUp" as const),
        fc.array(fc.constantFrom(...events)),
        (before, end, after) => {
          const ended = nextState(before.reduce(nextState, "starting"), end)
          assert.include(["stopped", "failed"], ended)
          assert.strictEqual(after.filter((event) => event !== "begin").reduce(nextState, ended), ended)
          assert.strictEqual(nextState(ended, "begin"), "starting")
        }
      )
    )
  })

  it("tell a drain of a worker that serves only", () => {
    assert.deepStrictEqual(
      states.filter((state) => nextState(state, "drain") === "draining"),
      ["running", "draining"]
    )
    assert.strictEqual(nextState("draining", "serving"), "draining")
  })
})
