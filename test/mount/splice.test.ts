/** READs that are answered from descriptors and spliced to the kernel: a caller sees what it sees when they are copied. */
import { assert, describe, it } from "@effect/vitest"
import { type AnswerOf, type BackendCapabilities, openReplyFlags, type ReadRequest } from "@bickford/protocol"
import { type Backend, Errno, type ErrnoError } from "@bickford/session"
import { fd as numberOf, pipe_pair } from "@bickford/transport"
import * as Effect from "effect/Effect"
import * as Exit from "effect/Exit"
import { spawn } from "node:child_process"
import { randomBytes, randomInt } from "node:crypto"
import { once } from "node:events"
import { closeSync, ftruncateSync, mkdtempSync, openSync, readdirSync, rmSync, writeFileSync, writeSync } from "node:fs"
import { tmpdir } from "node:os"
import { join } from "node:path"
import { root } from "./bickford.ts"
import { serve } from "./inProcess.ts"

const epoch = { sec: 0, nsec: 0 }
const attr = (ino: number, size: number) => ({
  ino,
  mode: ino === 1 ? 0o40777 : 0o100666,
  size,
  blocks: 1,
  nlink: 1,
  uid: 0,
  gid: 0,
  rdev: 0,
  blksize: 4096,
  flags: 0,
  atime: epoch,
  mtime: epoch,
  ctime: epoch
})

/** Serves one file, `file`, of `size` bytes as the kernel is told. */
const oneOf = (
  size: () => number,
  read: (request: ReadRequest) => Effect.Effect<AnswerOf<"read">, ErrnoError>,
  capabilities: BackendCapabilities,
  openFlags = 0
): Backend => ({
  capabilities,
  getattr: ({ nodeid }) => Exit.succeed({ attrValid: epoch, attr: attr(Number(nodeid), size()) }),
  lookup: ({ name }) =>
    name === "file"
      ? Exit.succeed({ nodeid: 2, generation: 0, entryValid: epoch, attrValid: epoch, attr: attr(2, size()) })
      : Errno.ENOENT,
  open: () => Exit.succeed({ fh: 0, openFlags }),
  read
})

const temporary = Effect.acquireRelease(
  Effect.sync(() => mkdtempSync(join(tmpdir(), "bickford-splice-"))),
  (folder) => Effect.sync(() => rmSync(folder, { recursive: true }))
)

/** A file with these bytes: its path, and a descriptor of it. */
const fileOf = (content: Uint8Array) =>
  Effect.gen(function* () {
    const path = join(yield* temporary, "original")
    writeFileSync(path, content)
    const fd = openSync(path, "r+")
    yield* Effect.addFinalizer(() => Effect.sync(() => closeSync(fd)))
    return { path, fd }
  })

const direct = openReplyFlags.FOPEN_DIRECT_IO
const script = join(root, "test", "mount", "ranges.py")
const descriptors = (): number => readdirSync("/proc/self/fd").length
/** Reads once, 1 MiB, and prints it in base64; what went wrong goes to standard error. */
const readOnce = 'dd if="$1" bs=1048576 count=1 status=none | base64 -w0'

const ways: ReadonlyArray<readonly [string, BackendCapabilities]> = [
  ["copied", {}],
  ["spliced", { spliceWrite: true }],
  ["moved", { spliceWrite: true, spliceMove: true }]
]

for (const [how, capabilities] of ways) {
  describe(`READs from descriptors, ${how}`, () => {
    for (const [cache, openFlags] of [
      ["through the kernel's cache", 0],
      ["past it", direct]
    ] as const) {
      it.live(`files of any size have their bytes at any offset, ${cache}`, () =>
        Effect.gen(function* () {
          for (const size of [1, 40_000, (2 << 20) + 17]) {
            const { fd, path } = yield* fileOf(randomBytes(size))
            let answers = 0
            // Every other one is answered when its slot has been given back.
            const answer = ({ offset, size: length }: ReadRequest) =>
              answers++ % 2 === 0
                ? Exit.succeed({ fd, offset, length })
                : Effect.as(Effect.sleep(0), { fd, offset, length })
            const { mountpoint, run } = yield* serve(oneOf(() => size, answer, capabilities, openFlags))
            assert.strictEqual(
              yield* run("python3", [script, join(mountpoint, "file"), path, String(randomInt(1 << 30)), "20"]),
              "same\n"
            )
          }
        })
      )
    }

    it.live(
      "lists, short files, closed descriptors and pipes are answered as they are in memory, and no descriptor is left",
      () =>
        Effect.gen(function* () {
          const content = randomBytes(1 << 20)
          const { fd } = yield* fileOf(content)
          const [from, to] = yield* pipe_pair
          const pipe = numberOf(from) ?? assert.fail("no pipe")
          const before = descriptors()
          const head = randomBytes(10)
          const tail = randomBytes(5000)
          let answer: AnswerOf<"read"> = []
          yield* Effect.scoped(
            Effect.gen(function* () {
              const { attempt, mounted, mountpoint } = yield* serve(
                oneOf(
                  () => 1 << 20,
                  () => Effect.succeed(answer),
                  capabilities,
                  direct
                )
              )
              const got = (given: AnswerOf<"read">) =>
                Effect.suspend(() => {
                  answer = given
                  return Effect.map(
                    attempt("sh", ["-c", readOnce, "sh", join(mountpoint, "file")]),
                    ({ stderr, stdout }) => stderr.trim().split(": ").at(-1) || stdout
                  )
                })
              const same = (actual: string, wanted: Uint8Array) =>
                assert.isTrue(Buffer.from(actual, "base64").equals(wanted))
              same(
                yield* got([head, { fd, offset: 3, length: 100_001 }, tail]),
                Buffer.concat([head, content.subarray(3, 100_004), tail])
              )
              same(
                yield* got([
                  { fd, offset: 4095, length: 50_000 },
                  { fd, offset: 1, length: 50_000 }
                ]),
                Buffer.concat([content.subarray(4095, 54_095), content.subarray(1, 50_001)])
              )
              // More parts than one write takes.
              const many = Array.from({ length: 100 }, (_, i) => content.subarray(i, i + 1))
              same(
                yield* got([...many, { fd, offset: 100, length: 200_000 }, ...many]),
                Buffer.concat([content.subarray(0, 200_100), content.subarray(0, 100)])
              )
              // The descriptor of nothing, of what has no offsets, of what cannot be read.
              assert.strictEqual(yield* got({ fd: 1_000_000, offset: 0, length: 300_000 }), "Bad file descriptor")
              assert.strictEqual(yield* got({ fd: pipe, offset: 0, length: 300_000 }), "Illegal seek")
              assert.strictEqual(
                yield* got([
                  { fd, offset: 0, length: 100_000 },
                  { fd: 1_000_000, offset: 0, length: 100_000 }
                ]),
                "Bad file descriptor"
              )
              assert.strictEqual(yield* got({ fd: pipe, length: 300_000 }), "Resource temporarily unavailable")
              writeSync(numberOf(to) ?? -1, content.subarray(0, 60_000))
              same(yield* got({ fd: pipe, length: 300_000 }), content.subarray(0, 60_000))
              // Ends within a reply: what lies behind it is not sent.
              ftruncateSync(fd, 100_001)
              same(yield* got({ fd, offset: 1, length: 300_000 }), content.subarray(1, 100_001))
              same(
                yield* got([head, { fd, offset: 0, length: 200_000 }, tail]),
                Buffer.concat([head, content.subarray(0, 100_001)])
              )
              same(yield* got({ fd, offset: 100_001, length: 300_000 }), Buffer.alloc(0))
              same(yield* got({ fd, offset: 0, length: 100_001 }), content.subarray(0, 100_001))
              // Two pipes, once there is something to splice.
              assert.strictEqual(descriptors() - before >= 5, capabilities.spliceWrite === true)
              assert.strictEqual(mounted.session.connection.counters.defects, 0)
            })
          )
          assert.strictEqual(descriptors(), before)
        })
    )

    it.live("many readers at once, some of them killed in the middle: the others have their bytes", () =>
      Effect.gen(function* () {
        const size = 32 << 20
        const { fd, path } = yield* fileOf(randomBytes(size))
        const answer = ({ offset, size: length }: ReadRequest) => Effect.as(Effect.sleep(1), { fd, offset, length })
        const { mounted, mountpoint, run } = yield* serve(oneOf(() => size, answer, capabilities, direct))
        const file = join(mountpoint, "file")
        const doomed = (i: number) =>
          Effect.promise(async () => {
            const reads = mounted.session.connection.counters.requests
            const reader = spawn("dd", [`if=${file}`, "of=/dev/null", `bs=${(i + 1) << 16}`], { stdio: "ignore" })
            const ended = once(reader, "exit")
            while (mounted.session.connection.counters.requests < reads + 20)
              await new Promise((resume) => setTimeout(resume, 1))
            reader.kill("SIGKILL")
            await ended
          })
        const readers = Array.from({ length: 3 }, () =>
          run("python3", [script, file, path, String(randomInt(1 << 30)), "10"])
        )
        const [outcomes] = yield* Effect.all(
          [Effect.all(readers, { concurrency: 3 }), Effect.all([0, 1, 2, 3].map(doomed), { concurrency: 2 })],
          { concurrency: 2 }
        )
        assert.deepStrictEqual(
          outcomes,
          outcomes.map(() => "same\n")
        )
        assert.strictEqual(mounted.session.connection.counters.defects, 0)
        assert.strictEqual((yield* mounted.session.supervisor.tree).restarts, 0)
      })
    )
  })
}
