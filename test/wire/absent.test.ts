/** Operations that a backend lacks: every row of the table, by a kernel of now and by old ones, alone and in company. */
import { assert, describe, it } from "@effect/vitest"
import { mountTable } from "@bickford/backends"
import { errnoNumbers, operations } from "@bickford/protocol"
import { opcodeTable, type OpcodeRow } from "@bickford/protocol/codec"
import { type Backend, Errno, standInFor } from "@bickford/session"
import { FakeKernel } from "@bickford/session/testing"
import * as Effect from "effect/Effect"
import * as Exit from "effect/Exit"
import { readFileSync } from "node:fs"
import { requests } from "./everyRequest.ts"
import { attr, epoch, file } from "./hello.ts"

type Request = FakeKernel.RequestInput

const all: ReadonlyArray<Request> = [
  ...requests,
  { op: "rename", name: "x", newdir: 1, newname: "y", flags: 1 },
  { op: "copyFileRange", fhIn: 0, offIn: 0, nodeidOut: 1, fhOut: 0, offOut: 0, len: 10, flags: 0, wide: true }
]

const isWide = (request: Request): boolean =>
  (request.op === "rename" && request.flags !== 0) || (request.op === "copyFileRange" && request.wide)

const rowFor = (request: Request): OpcodeRow => {
  const [plain, wide] = opcodeTable.flatMap((row) => (row?.op === request.op ? [row] : []))
  return (isWide(request) ? wide : plain) ?? assert.fail(request.op)
}

/** It is not read-only. */
const changing: Backend = { setattr: () => Exit.succeed({ attrValid: epoch, attr: attr(1, 0o40755) }) }
const changingElse: Backend = { mkdir: () => Exit.succeed(file) }
const lackingOf = ({ op }: Request): Backend => (op === "setattr" ? changingElse : changing)

const errnoOf = (kernel: FakeKernel.FakeKernel, request: Request) =>
  Effect.map(Effect.flatMap(kernel.send(request), kernel.reply), ({ error }) => Math.abs(error))

/** What the table says: 0 for success. */
const said = (request: Request): number => {
  const { whenAbsent, whenAbsentWithFlags } = operations[request.op]
  const name = rowFor(request).name === "RENAME2" ? (whenAbsentWithFlags ?? whenAbsent) : whenAbsent
  return name === "empty" ? 0 : errnoNumbers[name]
}

describe("an operation that the only backend lacks", () => {
  for (const request of all) {
    const { enosysIsStickySince, name, since } = rowFor(request)
    it.live(`${name}: ENOSYS where the kernel remembers that, else what the table says`, () =>
      Effect.gen(function* () {
        for (const minor of [45, 44, 28, 22, 12]) {
          if (minor < since[1]) continue
          const { kernel } = yield* FakeKernel.serve(lackingOf(request))
          yield* kernel.init({ minor, flags: 0, flags2: 0 })
          const expected = minor >= enosysIsStickySince ? errnoNumbers.ENOSYS : said(request)
          assert.strictEqual(yield* errnoOf(kernel, request), expected, `7.${minor}`)
        }
      })
    )
  }
})

/** Where the kernel does by itself what the caller asked for, which is more than the backend can say. */
const doneByTheKernel: ReadonlySet<string> = new Set(["LSEEK", "COPY_FILE_RANGE_64", "IOCTL"])

describe("the table", () => {
  const golden: {
    readonly results: { readonly [name: string]: { readonly syscall_results: ReadonlyArray<string> } }
  } = JSON.parse(readFileSync(new URL("../golden/enosys.json", import.meta.url), "utf8"))

  for (const request of all) {
    const { enosysIsSticky, name, traits } = rowFor(request)
    const measured = golden.results[name]?.syscall_results[0]?.replace(/^ok.*/, "ok")
    if (measured === undefined || !enosysIsSticky || traits.kernelDoesWithout || doneByTheKernel.has(name)) continue
    it(`says of ${name} what Linux makes of ENOSYS: ${measured}`, () => {
      assert.strictEqual(
        said(request),
        measured === "ok" ? 0 : Number(Reflect.get({ ...errnoNumbers, ENOTSUP: 95 }, measured))
      )
    })
  }
})

describe("an operation that a backend lacks which others on the connection have", () => {
  for (const request of all) {
    const { enosysIsSticky, name, traits } = rowFor(request)
    it.live(`${name}: what the table says, and no ENOSYS that the kernel would remember`, () =>
      Effect.gen(function* () {
        // Without them nothing can be asked for below it.
        if (request.op === "lookup" || request.op === "getattr") return
        const found: Backend = {
          lookup: () => Exit.succeed(file),
          getattr: () => Exit.succeed({ attrValid: epoch, attr: attr(1, 0o40755) })
        }
        // ENOSYS from an operation is the same as none.
        const enosys = { [request.op]: () => Errno.ENOSYS }
        for (const backend of [lackingOf(request), { ...lackingOf(request), ...enosys }]) {
          const company: Backend = { ...found, [request.op]: () => Errno.EIO }
          const { kernel } = yield* FakeKernel.serve(mountTable({ "/a": { ...found, ...backend }, "/b": company }))
          yield* kernel.init()
          const { nodeid } = yield* kernel.call({ op: "lookup", nodeid: 1, name: "a" })
          const below = { nodeid, newdir: nodeid, oldnodeid: nodeid, nodeidOut: nodeid }
          const error = yield* errnoOf(kernel, { ...request, ...below })
          assert.strictEqual(error, said(request))
          assert.isTrue(error !== errnoNumbers.ENOSYS || !enosysIsSticky || traits.kernelDoesWithout)
        }
      })
    )
  }

  it("is EROFS where the backend changes nothing, and the operation would", () => {
    const standIn = standInFor((operation) => operation === "read")
    for (const { op } of all) {
      const request = { op, unique: 2, nodeid: 1, uid: 0, gid: 0, pid: 1, flags: 1 }
      // What is looked at of a request is its flags.
      const answer = standIn(request as Parameters<typeof standIn>[0])
      const isRefused = Exit.isExit(answer) && Exit.isFailure(answer) && String(answer.cause).includes("EROFS")
      assert.strictEqual(isRefused, operations[op].mutates || op === "open", op)
    }
  })
})
