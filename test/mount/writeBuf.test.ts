/** WRITEs whose data a backend takes as a value, from a pipe where it is in one: files have what they have by way of memory. */
import { assert, describe, it } from "@effect/vitest"
import { openReplyFlags } from "@bickford/protocol"
import { type Backend, type BackendSource, Errno, type ErrnoError, type WriteBufRequest } from "@bickford/session"
import { passthrough, readOnly, withLog } from "bickford"
import * as Effect from "effect/Effect"
import * as Exit from "effect/Exit"
import { spawn } from "node:child_process"
import { createHash } from "node:crypto"
import { once } from "node:events"
import { closeSync, mkdtempSync, openSync, readdirSync, readFileSync, rmSync } from "node:fs"
import { tmpdir } from "node:os"
import { join } from "node:path"
import { serve } from "./inProcess.ts"
import { oneFile } from "./oneFile.ts"

const script = join(import.meta.dirname, "largeWrites.py")
const direct = openReplyFlags.FOPEN_DIRECT_IO
const descriptors = (): number => readdirSync("/proc/self/fd").length

const folder = Effect.acquireRelease(
  Effect.sync(() => mkdtempSync(join(tmpdir(), "bickford-write-buf-"))),
  (path) => Effect.sync(() => rmSync(path, { recursive: true }))
)

/** A descriptor for writing of a fresh file, and the file's path. */
const target = (flags: "w" | "a") =>
  Effect.gen(function* () {
    const path = join(yield* folder, "target")
    const fd = openSync(path, flags)
    yield* Effect.addFinalizer(() => Effect.sync(() => closeSync(fd)))
    return { path, fd }
  })

type WriteBuf = (request: WriteBufRequest) => Effect.Effect<number, ErrnoError>

const oneFileWith = (writeBuf: WriteBuf, openFlags: number): Backend =>
  oneFile({
    capabilities: { spliceRead: true },
    open: () => Exit.succeed({ fh: 0, openFlags }),
    writeBuf
  })

/** Writes `count` blocks to the file of a mount, each filled with its number, and a tail. */
const write = `
import os, sys
path, block, count = sys.argv[1], int(sys.argv[2]), int(sys.argv[3])
fd = os.open(path, os.O_WRONLY)
for i in range(count):
    data = bytes([i % 251 + 1]) * block
    assert os.pwrite(fd, data, i * block) == block
os.close(fd)
`
const written = (block: number, count: number): Buffer =>
  Buffer.concat(Array.from({ length: count }, (_, i) => Buffer.alloc(block, (i % 251) + 1)))

const digest = (bytes: Uint8Array): string => createHash("sha256").update(bytes).digest("hex")

describe("writeBuf", () => {
  for (const [cache, openFlags] of [
    ["through the kernel's cache", 0],
    ["past it", direct]
  ] as const) {
    for (const [flags, how] of [
      ["w", "spliced"],
      ["a", "by way of memory, where the file cannot be spliced to"]
    ] as const) {
      it.live(`data of any size reaches a file, ${cache}, ${how}, at once and later`, () =>
        Effect.gen(function* () {
          for (const [block, count] of [
            [1, 3],
            [32 * 1024, 9],
            [(1 << 20) + 17, 5],
            [1 << 20, 6]
          ] as const) {
            const { fd, path } = yield* target(flags)
            let asked = 0
            const ways: ReadonlyArray<WriteBuf> = [
              ({ data, offset }) => data.spliceTo(fd, offset),
              ({ data, offset }) =>
                Effect.andThen(
                  Effect.sleep(0),
                  Effect.suspend(() => data.spliceTo(fd, offset))
                ),
              ({ data, offset }) => (data.bytes(), data.spliceTo(fd, offset))
            ]
            const { mounted, mountpoint, run } = yield* serve(
              oneFileWith((request) => ways[asked++ % ways.length]?.(request) ?? Errno.EIO, openFlags)
            )
            assert.isTrue((yield* mounted.session.negotiated).spliceRead)
            yield* run("python3", ["-c", write, join(mountpoint, "file"), String(block), String(count)])
            assert.strictEqual(digest(readFileSync(path)), digest(written(block, count)), `${block} bytes`)
            assert.strictEqual(mounted.session.connection.counters.defects, 0)
          }
        })
      )
    }
  }

  it.live("what an operation leaves in a pipe is in no later write, and no pipe is left", () =>
    Effect.gen(function* () {
      const { fd, path } = yield* target("w")
      const before = descriptors()
      let piped = 0
      yield* Effect.scoped(
        Effect.gen(function* () {
          const ways: ReadonlyArray<WriteBuf> = [
            ({ size }) => Exit.succeed(size),
            () => Errno.ENOSPC,
            ({ data }) => data.spliceTo(1_000_000, 0),
            ({ data, offset }) => Effect.as(Effect.sleep(0), (data.spliceTo(fd, offset), data.length)),
            ({ data, offset }) => (data.spliceTo(fd, offset), Exit.succeed(data.bytes().length)),
            () => Effect.die(new Error("on purpose"))
          ]
          const backend = oneFileWith((request) => {
            piped = Math.max(piped, descriptors() - before)
            const block = Number(request.offset) >> 20
            return block % 2 === 0
              ? request.data.spliceTo(fd, request.offset)
              : (ways[(block >> 1) % ways.length]?.(request) ?? Errno.EIO)
          }, direct)
          const { mountpoint, run } = yield* serve(backend)
          const attempts = `
import os, sys
fd = os.open(sys.argv[1], os.O_WRONLY)
for i in range(60):
    try:
        os.pwrite(fd, bytes([i + 1]) * (1 << 20), i << 20)
    except OSError as error:
        print(error.errno)
`
          const errors = yield* run("python3", ["-c", attempts, join(mountpoint, "file")])
          assert.deepStrictEqual(
            [...new Set(errors.trim().split("\n"))].sort(),
            ["28", "5", "9"],
            "ENOSPC, EIO and EBADF, as the operation had it"
          )
        })
      )
      const file = readFileSync(path)
      for (let i = 0; i < 60; i += 2)
        assert.isTrue(file.subarray(i << 20, (i + 1) << 20).equals(Buffer.alloc(1 << 20, i + 1)), `write ${i}`)
      // A descriptor for each end of a pipe.
      assert.isAtLeast(piped, 3, "the device, and a pipe")
      assert.strictEqual(descriptors(), before)
    })
  )

  it.live("data outlives a deadline that its operation does not keep", () =>
    Effect.gen(function* () {
      const { fd, path } = yield* target("w")
      let late: Exit.Exit<number, ErrnoError> | undefined
      const backend = oneFileWith(
        ({ data, offset }) =>
          Effect.uninterruptible(
            Effect.andThen(
              Effect.sleep(100),
              Effect.sync(() => {
                late = data.spliceTo(fd, offset)
                return data.length
              })
            )
          ),
        direct
      )
      const { attempt, mountpoint } = yield* serve(backend, {
        session: { deadline: { write: { after: 10, errno: 110 } } }
      })

      const outcome = yield* attempt("dd", [
        "if=/dev/zero",
        `of=${join(mountpoint, "file")}`,
        "bs=1M",
        "count=1",
        "conv=notrunc"
      ])
      assert.include(outcome.stderr, "timed out")
      yield* Effect.repeat(Effect.sleep(5), { until: () => late !== undefined })
      assert.deepStrictEqual(late, Exit.succeed(1 << 20))
      assert.strictEqual(readFileSync(path).length, 1 << 20)
    })
  )

  it.live("writers that are killed in the middle leave the others their data", () =>
    Effect.gen(function* () {
      const { fd } = yield* target("w")
      let done = 0
      const backend = oneFileWith(
        ({ data, offset }) =>
          Effect.andThen(
            Effect.sleep(1),
            Effect.suspend(() => (done++, data.spliceTo(fd, offset)))
          ),
        direct
      )
      const { mounted, mountpoint } = yield* serve(backend)
      const doomed = Effect.promise(async () => {
        const seen = done
        const writer = spawn("dd", ["if=/dev/zero", `of=${join(mountpoint, "file")}`, "bs=1M", "conv=notrunc"], {
          stdio: "ignore"
        })
        const ended = once(writer, "exit")
        while (done < seen + 10) await new Promise((resume) => setTimeout(resume, 1))
        writer.kill("SIGKILL")
        await ended
      })
      yield* Effect.all([doomed, doomed, doomed, doomed, doomed, doomed], { concurrency: 3 })
      assert.strictEqual(mounted.session.connection.counters.defects, 0)
      assert.strictEqual((yield* mounted.session.supervisor.tree).restarts, 0)
    })
  )

  it.live("a backend behind a combinator is given its data in memory", () =>
    Effect.gen(function* () {
      const { fd, path } = yield* target("w")
      const entries: Array<string> = []
      const backend = oneFileWith(({ data, offset }) => data.spliceTo(fd, offset), direct)
      const { mountpoint, run } = yield* serve(withLog(backend, ({ operation }) => entries.push(operation)))
      yield* run("python3", ["-c", write, join(mountpoint, "file"), String(1 << 20), "4"])
      assert.strictEqual(digest(readFileSync(path)), digest(written(1 << 20, 4)))
      assert.include(entries, "write")
      const { attempt, mountpoint: second } = yield* serve(readOnly(backend))
      const refused = yield* attempt("python3", ["-c", write, join(second, "file"), "10", "1"])
      assert.include(refused.stderr, "Read-only")
    })
  )
})

const options = { kernelPassthrough: false, spliceRead: true } as const
const sources: ReadonlyArray<readonly [string, (directory: string) => BackendSource]> = [
  ["spliced", (directory) => passthrough(directory, options)],
  [
    "spliced, from the kernel's write cache",
    (directory) => passthrough(directory, { ...options, writebackCache: true })
  ]
]

describe("passthrough, its writes spliced", () => {
  for (const [name, source] of sources) {
    it.live(`leaves in a file what is left in any other: ${name}`, () =>
      Effect.gen(function* () {
        const [plain, served] = [yield* folder, yield* folder]
        const before = descriptors()
        const { mounted, mountpoint, run } = yield* serve(source(served))
        assert.isTrue((yield* mounted.session.negotiated).spliceRead)
        const expected = yield* run("python3", [script, plain, "1"])
        assert.strictEqual(yield* run("python3", [script, mountpoint, "1"]), expected)
        assert.isAtLeast(descriptors() - before, 3)
        // To append is to write where the file ends by then.
        yield* run("sh", [
          "-c",
          'for i in 1 2 3; do head -c 300000 /dev/zero | tr "\\\\0" $i >>"$1"; done',
          "sh",
          join(mountpoint, "log")
        ])
        const appended = Buffer.concat(["1", "2", "3"].map((digit) => Buffer.alloc(300_000, digit)))
        assert.isTrue(readFileSync(join(served, "log")).equals(appended))
      })
    )
  }
})
