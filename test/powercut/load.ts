/**
 * `load.ts STORE SEED CLIENTS COUNT`: clients that work on a store in turn, each in its own directory; what they begin and
 * what an fsync has promised them is marked in the record. To be run with test/preload/disk.c loaded, and killed at any time.
 */
import { sqlite } from "@bickford/backends"
import * as Effect from "effect/Effect"
import { bytes, makeKernel, rootNode } from "../../packages/backends/test/posix/kernel.ts"
import { mark } from "../preload/disk.ts"
import { type ClientOperation, operationsOf } from "./operations.ts"

const [store = "", seed = "1", clients = "3", count = "100"] = process.argv.slice(2)
const record = process.env["DISK_RECORD"] ?? ""

const program = Effect.gen(function* () {
  const kernel = makeKernel(yield* sqlite(store))
  const act = Effect.fnUntraced(function* (directory: string, { kind, name, text }: ClientOperation) {
    if (kind === "mkdir") return yield* Effect.asVoid(kernel.mkdir({ name: directory }))
    const { nodeid } = yield* kernel.lookup(rootNode, directory)
    if (kind === "create") return yield* Effect.asVoid(kernel.create({ nodeid, name }))
    const file = yield* kernel.lookup(nodeid, name)
    if (kind === "append") {
      const { size } = yield* kernel.getattr(file.nodeid)
      yield* kernel.write(file.nodeid, size, bytes(text))
    } else if (kind === "rename") yield* kernel.rename(nodeid, name, nodeid, text)
    else if (kind === "unlink") yield* kernel.unlink(nodeid, name)
    else yield* kernel.fsync(file.nodeid)
  })
  const all = Array.from({ length: Number(clients) }, (_, client) =>
    operationsOf(Number(seed) * 100 + client, Number(count))
  )
  for (let n = 0; n < Number(count); n++) {
    for (const [client, operations] of all.entries()) {
      const operation = operations[n]
      if (operation === undefined) continue
      const directory = `${seed}-${client}`
      mark(record, `begun ${directory} ${n}`)
      yield* act(directory, operation)
      if (operation.kind === "fsync") mark(record, `safe ${directory} ${n}`)
    }
  }
})

await Effect.runPromise(Effect.scoped(program))
