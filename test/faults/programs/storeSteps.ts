/**
 * `storeSteps.ts STORE STEPS`: opens a store, takes the steps of a file (a JSON array of arrays), and prints what came of each as
 * JSON: "ok", an errno, or what was read. To be run with test/preload/disk.c loaded.
 */
import { Errno, type ErrnoError } from "@bickford/session"
import { sqlite } from "@bickford/backends"
import type { U64 } from "@bickford/protocol"
import * as Effect from "effect/Effect"
import * as Logger from "effect/Logger"
import { readFileSync, rmSync, writeFileSync } from "node:fs"
import { bytes, makeKernel, rootNode } from "../../../packages/backends/test/posix/kernel.ts"
import { mark } from "../../preload/disk.ts"

const [store = "", given = ""] = process.argv.slice(2)
const steps: ReadonlyArray<ReadonlyArray<string>> = JSON.parse(readFileSync(given, "utf8"))
const fault = process.env["DISK_FAULT"] ?? ""
const record = process.env["DISK_RECORD"]

const program = Effect.gen(function* () {
  const kernel = makeKernel(yield* sqlite(store))
  const find = (name: string): Effect.Effect<U64, ErrnoError> =>
    Effect.map(kernel.lookup(rootNode, name), ({ nodeid }) => nodeid)
  const append = (name: string, text: string) =>
    Effect.flatMap(find(name), (nodeid) =>
      Effect.flatMap(kernel.getattr(nodeid), ({ size }) => kernel.write(nodeid, size, bytes(text)))
    )
  const safe = (name: string) =>
    Effect.gen(function* () {
      yield* kernel.create({ name })
      yield* append(name, name)
      yield* kernel.fsync(yield* find(name))
      if (record !== undefined) mark(record, name)
    })
  const take = ([what = "", name = "", text = ""]: ReadonlyArray<string>): Effect.Effect<unknown, ErrnoError> => {
    switch (what) {
      case "create":
        return kernel.create({ name })
      case "mkdir":
        return kernel.mkdir({ name })
      case "unlink":
        return kernel.unlink(rootNode, name)
      case "append":
        return append(name, text)
      case "fsync":
        return Effect.flatMap(find(name), kernel.fsync)
      case "read":
        return Effect.flatMap(find(name), (nodeid) =>
          Effect.map(kernel.read(nodeid, 0, 1000), (data) => Buffer.from(data).toString())
        )
      case "list":
        return Effect.map(kernel.readdir(rootNode), (entries) =>
          entries
            .map((entry) => String(entry.name))
            .filter((each) => !each.startsWith("."))
            .sort()
        )
      // Files that are made, written and fsynced.
      case "safe":
        return Effect.forEach(
          Array.from({ length: Number(text) }, (_, n) => `${name}${n}`),
          safe,
          { discard: true }
        )
      // So many empty files.
      case "fill":
        return Effect.forEach(
          Array.from({ length: Number(text) }, (_, n) => `${name}${n}`),
          (each) => kernel.create({ name: each }),
          { discard: true }
        )
      case "removeAll":
        return Effect.gen(function* () {
          for (const entry of yield* kernel.readdir(rootNode)) {
            if (String(entry.name).startsWith(".")) continue
            const { nodeid } = yield* kernel.lookup(rootNode, entry.name)
            yield* kernel.unlink(rootNode, entry.name)
            kernel.forget(nodeid)
          }
        })
      case "fault":
        return Effect.sync(() => writeFileSync(fault, `${name}\n`))
      case "well":
        return Effect.sync(() => rmSync(fault, { force: true }))
      default:
        return Errno.ENOSYS
    }
  }
  const outcomes: Array<unknown> = []
  for (const step of steps) {
    const exit = yield* Effect.exit(take(step))
    if (exit._tag === "Failure") {
      const [reason] = exit.cause.reasons
      outcomes.push(reason?._tag === "Fail" ? reason.error._tag : reason?._tag === "Die" ? "EIO" : "interrupted")
    } else outcomes.push(typeof exit.value === "string" || Array.isArray(exit.value) ? exit.value : "ok")
  }
  return outcomes
})

const outcomes = await Effect.runPromise(
  Effect.provide(Effect.scoped(program), Logger.layer([Logger.withConsoleError(Logger.formatLogFmt)]))
)
process.stdout.write(JSON.stringify(outcomes))
