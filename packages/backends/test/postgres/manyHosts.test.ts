/** Several hosts that serve one store: what one has changed the others see, and a host that is cut off changes nothing. */
import { assert, describe, it } from "@effect/vitest"
import type { Dirent, U64 } from "@bickford/protocol"
import * as Effect from "effect/Effect"
import * as Exit from "effect/Exit"
import * as Fiber from "effect/Fiber"
import { checkPostgres, postgres, type PostgresOptions } from "../../src/index.ts"
import { DatabaseError } from "../../src/postgres/database.ts"
import { openStore } from "../../src/postgres/openStore.ts"
import { serveStore as serveOpened } from "../../src/postgres/postgres.ts"
import { makeKernel, outcome, rootNode } from "../posix/kernel.ts"
import { connection, negotiated, serveStore } from "../sqlite/server.ts"
import { newStore, useCluster } from "./store.ts"

const cluster = useCluster()

/** Of four files: 2,000 pairs of a write on one host and reads on the other. */
const pairsPerFile = Number(process.env["BICKFORD_STALE_PAIRS"] ?? 2000) / 4

/** A host that serves a store, by what its kernel does, and the round trips that it makes for calls. */
const hostOf = Effect.fnUntraced(function* (url: string, name: string, options: PostgresOptions = {}) {
  const opened = yield* openStore(url, {})
  const { database } = opened
  const host = { trips: 0, isCutOff: false }
  const cut = <A>(answer: () => Promise<A>): Promise<A> =>
    host.isCutOff ? Promise.reject(new DatabaseError({ message: "cut off", code: undefined })) : answer()
  const backend = yield* serveOpened(
    {
      ...opened,
      database: {
        ...database,
        run: (statement, parameters) => {
          if (!["beat", "sweep", "ids", "unheldOrphans", "release", "downgrade"].includes(statement.name)) host.trips++
          return cut(() => database.run(statement, parameters))
        },
        pipeline: (requests) => {
          host.trips++
          return cut(() => database.pipeline(requests))
        }
      }
    },
    { manyHosts: true, ...options }
  )
  yield* backend.init?.(negotiated, connection(name, new Set(), [])) ?? Effect.void
  return { ...makeKernel(backend), backend, host }
})

const isClean = (url: string) =>
  Effect.map(checkPostgres(url), ({ problems }) => assert.deepStrictEqual(problems, [], "problems of the store"))

const text = (bytes: Uint8Array): string => Buffer.from(bytes).toString()
const bytes = (given: string): Uint8Array => new Uint8Array(Buffer.from(given))

const namesOf = Effect.fnUntraced(function* (
  kernel: Effect.Success<ReturnType<typeof hostOf>>,
  nodeid: number | bigint
) {
  const names: Array<string> = []
  let offset: U64 = 0
  for (;;) {
    const entries: ReadonlyArray<Pick<Dirent, "name" | "off">> = yield* kernel.readdir(nodeid, offset)
    const last = entries.at(-1)
    if (last === undefined) return names.filter((name) => !name.startsWith("."))
    for (const { name } of entries) names.push(String(name))
    offset = last.off
  }
})

describe("two hosts", () => {
  it.live("see what the other has changed, whatever is in memory", () =>
    Effect.gen(function* () {
      const url = yield* newStore(cluster)
      const a = yield* hostOf(url, "a")
      const b = yield* hostOf(url, "b")
      const { nodeid: directory } = yield* a.mkdir({ name: "d" })
      const { nodeid } = yield* a.create({ nodeid: directory, name: "f" })
      for (let round = 0; round < 20; round++) {
        const [writer, reader] = round % 2 === 0 ? [a, b] : [b, a]
        const content = `round ${"x".repeat(round)}`
        yield* writer.write(nodeid, 0, bytes(content))
        yield* writer.mknod({ nodeid: directory, name: `n${round}` })
        assert.strictEqual((yield* reader.getattr(nodeid)).size, content.length)
        assert.strictEqual(text(yield* reader.read(nodeid, 0, 100)), content)
        assert.include(yield* namesOf(reader, directory), `n${round}`)
        assert.strictEqual((yield* reader.lookup(directory, `n${round}`)).attr.nlink, 1)
        yield* writer.unlink(directory, `n${round}`)
        assert.strictEqual(yield* outcome(reader.lookup(directory, `n${round}`)), "ENOENT")
      }
      yield* isClean(url)
    })
  )

  it.live("never read what was before a call of the other that has returned", () =>
    Effect.gen(function* () {
      const url = yield* newStore(cluster)
      const hosts = [yield* hostOf(url, "a"), yield* hostOf(url, "b")] as const
      const { nodeid: directory } = yield* hosts[0].mkdir({ name: "d" })
      const files: Array<number | bigint> = []
      for (let n = 0; n < 4; n++) files.push((yield* hosts[0].create({ nodeid: directory, name: `f${n}` })).nodeid)
      // Each pair of a writer and a file has its own numbers, which only grow.
      const written = files.map(() => 0)
      const names = files.map(() => "")
      let stale = 0
      const pair = Effect.fnUntraced(function* (n: number, file: number) {
        const [writer, reader] = n % 2 === 0 ? hosts : [hosts[1], hosts[0]]
        const nodeid = files[file] ?? 0
        const number = (written[file] ?? 0) + 1
        yield* writer.write(nodeid, 0, bytes(String(number).padStart(8)))
        const name = `name${file}-${number}`
        if (n % 4 === 0) {
          yield* writer.mknod({ nodeid: directory, name })
          if (names[file] !== "") yield* writer.unlink(directory, names[file] ?? "")
          names[file] = name
        }
        written[file] = number
        const [read, attr] = yield* Effect.all([reader.read(nodeid, 0, 8), reader.getattr(nodeid)], { concurrency: 2 })
        if (Number(text(read)) !== number || attr.size !== 8) stale++
        if (n % 4 === 0) {
          const listed = yield* namesOf(reader, directory)
          if (!listed.includes(name) || listed.filter((one) => one.startsWith(`name${file}-`)).length !== 1) stale++
        }
      })
      // Four at a time, each with a file of its own, all in one directory.
      yield* Effect.forEach(
        files,
        (_, file) =>
          Effect.forEach(
            Array.from({ length: pairsPerFile }, (_, n) => n),
            (n) => pair(n, file),
            { discard: true }
          ),
        { concurrency: "unbounded", discard: true }
      )
      assert.strictEqual(stale, 0)
      yield* isClean(url)
    })
  )

  it.live("change one directory at the same time, and lose nothing", () =>
    Effect.gen(function* () {
      const url = yield* newStore(cluster)
      const hosts = [yield* hostOf(url, "a"), yield* hostOf(url, "b"), yield* hostOf(url, "c")]
      yield* Effect.forEach(
        hosts,
        (host, h) =>
          Effect.forEach(
            Array.from({ length: 40 }, (_, n) => n),
            (n) =>
              Effect.gen(function* () {
                yield* host.mknod({ name: `${h}-${n}` })
                if (n % 2 === 0) yield* host.rename(rootNode, `${h}-${n}`, rootNode, `${h}+${n}`)
                if (n % 4 === 1) yield* host.unlink(rootNode, `${h}-${n}`)
                // Of those who make the same name one succeeds.
                yield* Effect.ignore(host.mkdir({ name: `all${n}` }))
              }),
            { concurrency: 4, discard: true }
          ),
        { concurrency: "unbounded", discard: true }
      )
      for (const host of hosts) assert.strictEqual((yield* namesOf(host, rootNode)).length, 3 * 30 + 40)
      yield* isClean(url)
    })
  )

  it.live("cannot move two directories into each other", () =>
    Effect.gen(function* () {
      const url = yield* newStore(cluster)
      const [a, b] = [yield* hostOf(url, "a"), yield* hostOf(url, "b")]
      for (let round = 0; round < 20; round++) {
        const x = (yield* a.mkdir({ name: `x${round}` })).nodeid
        const y = (yield* a.mkdir({ name: `y${round}` })).nodeid
        const moved = yield* Effect.all(
          [outcome(a.rename(rootNode, `x${round}`, y, "in")), outcome(b.rename(rootNode, `y${round}`, x, "in"))],
          { concurrency: 2 }
        )
        assert.strictEqual(moved.filter((one) => one === "ok").length, 1, moved.join(" "))
      }
      yield* isClean(url)
    })
  )

  it.live("ask the database only for what they do not have a lease of", () =>
    Effect.gen(function* () {
      const url = yield* newStore(cluster)
      const a = yield* hostOf(url, "a")
      const b = yield* hostOf(url, "b")
      const { nodeid: directory } = yield* a.mkdir({ name: "d" })
      const { nodeid } = yield* a.create({ nodeid: directory, name: "f" })
      yield* a.write(nodeid, 0, bytes("text"))
      const cost = Effect.fnUntraced(function* (most: number, what: string, call: Effect.Effect<unknown, unknown>) {
        const before = b.host.trips
        yield* call
        assert.isAtMost(b.host.trips - before, most, what)
      })
      yield* b.lookup(rootNode, "d")
      yield* b.lookup(directory, "f")
      yield* b.read(nodeid, 0, 10)
      for (const host of [a, b]) yield* host.lookup(directory, "f")
      yield* cost(0, "lookup", b.lookup(directory, "f"))
      yield* cost(0, "getattr", b.getattr(nodeid))
      yield* cost(0, "open", b.open({ nodeid }))
      yield* cost(0, "read", b.read(nodeid, 0, 10))
      yield* cost(0, "lookup of a name that is not there", Effect.ignore(b.lookup(directory, "f")))
      yield* cost(1, "lookup of what nobody changes and is not in memory", Effect.ignore(b.lookup(directory, "none")))
      // The lease to change the file, and the unit.
      yield* b.write(nodeid, 0, bytes("more"))
      yield* cost(1, "write under a lease", b.write(nodeid, 0, bytes("again")))
      yield* b.mknod({ nodeid: directory, name: "g" })
      yield* cost(2, "create under a lease", b.mknod({ nodeid: directory, name: "h" }))
      yield* cost(1, "unlink under a lease", b.unlink(directory, "h"))
    })
  )
})

describe("a host", () => {
  it.live("that is cut off is ended by those who wait for it, changes nothing any more, and tells nothing old", () =>
    Effect.gen(function* () {
      const url = yield* newStore(cluster)
      const options = { deadAfter: 1.5, grace: 5 }
      const a = yield* hostOf(url, "a", options)
      const b = yield* hostOf(url, "b", options)
      const { nodeid } = yield* a.create({ name: "f" })
      yield* a.write(nodeid, 0, bytes("old"))
      a.host.isCutOff = true
      const lost = yield* Effect.forkChild(Effect.exit(a.write(nodeid, 0, bytes("lost"))))
      yield* b.lookup(rootNode, "f")
      yield* b.write(nodeid, 0, bytes("new"))
      // It has not been told, and has the file in memory.
      assert.strictEqual(yield* outcome(a.read(nodeid, 0, 10)), "EIO")
      yield* Fiber.join(lost)
      a.host.isCutOff = false
      assert.strictEqual(yield* outcome(a.write(nodeid, 0, bytes("late"))), "EIO")
      assert.strictEqual(text(yield* b.read(nodeid, 0, 10)), "new")
      yield* isClean(url)
    })
  )

  it.live("keeps a file that it has open and another one removes", () =>
    Effect.gen(function* () {
      const url = yield* newStore(cluster)
      const a = yield* hostOf(url, "a", { deadAfter: 1 })
      const b = yield* hostOf(url, "b", { deadAfter: 1 })
      const { nodeid } = yield* a.create({ name: "f" })
      yield* a.write(nodeid, 0, bytes("text"))
      yield* b.lookup(rootNode, "f")
      yield* b.open({ nodeid })
      yield* a.unlink(rootNode, "f")
      a.forget(nodeid)
      assert.strictEqual(text(yield* b.read(nodeid, 0, 10)), "text")
      assert.strictEqual((yield* checkPostgres(url)).orphans, 1)
      b.forget(nodeid)
      while ((yield* checkPostgres(url)).orphans > 0) yield* Effect.sleep(50)
      yield* isClean(url)
    })
  )

  it.live("goes on where an earlier server of its mount was killed, and finds its answers", () =>
    Effect.gen(function* () {
      const url = yield* newStore(cluster)
      const other = yield* hostOf(url, "other")
      const first = yield* serveStore(postgres(url, { manyHosts: true }), "c")
      const made = yield* first.call("mkdir", { name: "d" }, { unique: 2 })
      yield* first.kill
      // Another mount comes before the next server of this one, which has what it waits for.
      const newcomer = yield* Effect.forkChild(hostOf(url, "newcomer"))
      while (cluster().psql(url, "SELECT count(*) FROM session") !== "3") yield* Effect.sleep(10)
      const second = yield* serveStore(postgres(url, { manyHosts: true }), "c")
      assert.strictEqual((yield* second.call("mkdir", { name: "d" }, { unique: 2, resent: true })).nodeid, made.nodeid)
      yield* Fiber.join(newcomer)
      yield* other.mknod({ name: "n" })
      yield* second.call("rename", { name: "n", newname: "m" }, { unique: 4 })
      assert.strictEqual(yield* outcome(other.lookup(rootNode, "n")), "ENOENT")
      yield* isClean(url)
    })
  )

  it.live("that shares a store and one that does not exclude each other", () =>
    Effect.gen(function* () {
      const url = yield* newStore(cluster)
      yield* hostOf(url, "a")
      const second = yield* Effect.exit(serveStore(postgres(url), "b"))
      assert.include(String(Exit.isFailure(second) ? second.cause : ""), "unless all of them share it")
    })
  )
})
