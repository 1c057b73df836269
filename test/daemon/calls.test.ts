/** A daemon's mounts: their calls with paths, as they are answered, and those that are slow. */
import { assert, describe, it } from "@effect/vitest"
import * as Effect from "effect/Effect"
import { writeFile } from "node:fs/promises"
import { get } from "node:http"
import { join } from "node:path"
import { attempt, run } from "../mount/processes.ts"
import { type Daemon, mountConfig, mountpoints, startDaemon, until, workFolder } from "./daemon.ts"

interface Listened {
  readonly status: () => number | undefined
  readonly text: () => string
}

/** What the control socket answers, as it comes. */
const listened = (daemon: Daemon, path: string) =>
  Effect.acquireRelease(
    Effect.promise(
      () =>
        new Promise<Listened & { readonly end: () => void }>((resolve) => {
          let text = ""
          const request = get({ socketPath: daemon.socket, path }, (response) => {
            response.setEncoding("utf8").on("data", (part: string) => (text += part))
            resolve({ status: () => response.statusCode, text: () => text, end: () => request.destroy() })
          })
        })
    ),
    ({ end }) => Effect.sync(end)
  )

const records = (text: string): ReadonlyArray<{ readonly [key: string]: unknown }> =>
  text
    .split("\n")
    .slice(0, -1)
    .map((line) => JSON.parse(line))

/** A backend that looks for a quarter of a second for the file "late". */
const lateModule = `
import { memory, withFaults } from "bickford"
export const backend = withFaults(memory(), [{ operations: ["lookup"], path: "/late", fault: { delay: 250 } }])
`

describe("a daemon's calls", () => {
  it.live("are chosen by path, operation and error, and go on when the worker is replaced", () =>
    Effect.gen(function* () {
      const folder = yield* workFolder
      const [mountpoint = ""] = yield* mountpoints(1)
      const daemon = yield* startDaemon(folder, [mountConfig("data", `sqlite:${join(folder, "store")}`, mountpoint)])
      yield* Effect.promise(() => daemon.reaches("data", "running"))
      const byPath = yield* listened(daemon, "/mounts/data/calls?path=/wanted")
      const byError = yield* listened(daemon, "/mounts/data/calls?error=any&op=lookup")
      const refused = yield* listened(daemon, "/mounts/data/calls?op=LOKUP")
      yield* Effect.promise(() =>
        until(async () => (refused.text().includes("LOOKUP") ? true : undefined), "a refusal")
      )
      assert.strictEqual(refused.status(), 400)
      const look = (name: string) => attempt("stat", [join(mountpoint, name)])
      yield* Effect.promise(() =>
        until(async () => {
          await look("other")
          await look("wanted")
          return records(byPath.text()).length > 0 && records(byError.text()).length > 1 ? true : undefined
        }, "calls")
      )
      const calls = records(byPath.text())
      assert.isTrue(calls.every(({ path }) => path === "/wanted"))
      assert.deepInclude(calls[0], { opcode: "LOOKUP", error: "ENOENT" })
      assert.isTrue(records(byError.text()).some(({ path }) => path === "/other"))

      yield* Effect.promise(() => daemon.post("/mounts/data/kill"))
      const before = calls.length
      yield* Effect.promise(() => run("mkdir", [join(mountpoint, "wanted")]))
      yield* Effect.promise(() =>
        until(async () => {
          await look("wanted/below")
          return records(byPath.text())
            .slice(before)
            .some(({ path }) => path === "/wanted/below")
            ? true
            : undefined
        }, "calls of the next worker")
      )
    })
  )

  it.live("that are slow are told of, with path, program and result, to whoever may act", () =>
    Effect.gen(function* () {
      const folder = yield* workFolder
      const [mountpoint = ""] = yield* mountpoints(1)
      const module = join(folder, "late.mjs")
      yield* Effect.promise(() => writeFile(module, lateModule))
      const daemon = yield* startDaemon(folder, [mountConfig("late", `module:${module}`, mountpoint)])
      yield* Effect.promise(() => daemon.reaches("late", "running"))
      const events = yield* listened(daemon, "/events?mount=late")
      const slow = yield* Effect.promise(() =>
        until(async () => {
          await attempt("stat", [join(mountpoint, "late")])
          const detail = events.text().match(/^data: (.*"slow":\[\{.*)$/m)?.[1]
          return detail === undefined ? undefined : JSON.parse(detail).slow
        }, "a slow call")
      )
      assert.deepInclude(slow[0], { opcode: "LOOKUP", path: "/late", program: "stat", error: "ENOENT" })
      assert.isAtLeast(slow[0].microseconds, 200_000)
      yield* Effect.promise(() =>
        until(async () => {
          await attempt("stat", [join(mountpoint, "late")])
          return /"stuck":\[\{[^\]]*"state":"running"/.test(events.text()) ? true : undefined
        }, "a call that waits")
      )
    })
  )
})
