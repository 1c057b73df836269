/** The functions that have Wick's names: what each promises, by its tags, over pipes, sockets, the device and helpers. */
import { assert, describe, it, vi } from "@effect/vitest"
import * as Effect from "effect/Effect"
import * as Fiber from "effect/Fiber"
import type * as Scope from "effect/Scope"
import { execFile } from "node:child_process"
import { chmodSync, closeSync, mkdtempSync, openSync, readFileSync, rmSync, writeFileSync } from "node:fs"
import { constants, tmpdir } from "node:os"
import { join } from "node:path"
import { fileURLToPath } from "node:url"
import { promisify } from "node:util"
import * as Transport from "../src/index.ts"
import { addon } from "../src/native.ts"
import {
  close,
  fd,
  fromFd,
  fusermount3_mount,
  type FuseHandle,
  makeDeviceTransport,
  mountDevice,
  open_dev_fuse,
  pipe_pair,
  read_frame
} from "../src/index.ts"
import { select_read, socketpair, type Slot, type TransportError, unmountDevice, write_frame } from "../src/index.ts"

const root = fileURLToPath(new URL("../../..", import.meta.url))

/** 128 KiB of payload, `struct fuse_in_header` and `struct fuse_write_in`. */
const defaultBound = 131072 + 40 + 40

/** Bytes that tell where they were in their frame. */
const pattern = (length: number): Uint8Array => Uint8Array.from({ length }, (_, at) => at % 251)

/** A frame of `length` bytes whose header says so. */
const frame = (length: number, unique = 2): Uint8Array => {
  const bytes = pattern(length)
  const view = new DataView(bytes.buffer)
  view.setUint32(0, length, true)
  view.setBigUint64(8, BigInt(unique), true)
  return bytes
}

const folder = Effect.acquireRelease(
  Effect.sync(() => mkdtempSync(join(tmpdir(), "bickford-wick-"))),
  (path) => Effect.sync(() => rmSync(path, { recursive: true }))
)

/** Every readiness there is by now has been delivered after two turns of the event loop. */
const turns = Effect.promise(() => new Promise<void>((resolve) => setImmediate(() => setImmediate(resolve))))

/** Of a descriptor's open file: proc_pid_fdinfo(5). */
const flagsOf = (handle: FuseHandle): number => {
  const [, octal = ""] = /^flags:\s*(\d+)$/m.exec(readFileSync(`/proc/self/fdinfo/${fd(handle)}`, "utf8")) ?? []
  return Number.parseInt(octal, 8)
}
const O_CLOEXEC = 0o2000000
const { O_NONBLOCK, O_RDONLY, O_RDWR, O_WRONLY } = { O_NONBLOCK: 0o4000, O_RDONLY: 0, O_RDWR: 2, O_WRONLY: 1 }

const tagOf = <A, R>(effect: Effect.Effect<A, TransportError, R>): Effect.Effect<string, A, R> =>
  Effect.map(Effect.flip(effect), ({ _tag }) => _tag)

/** Fills a pipe or socket to where it takes nothing any more. */
const fill = (handle: FuseHandle): void => {
  while (addon.write_some(handle, new Uint8Array(4096)) > 0) continue
}

describe("the names", () => {
  it("are those of Wick's transport, and there is no second set", () => {
    const exported = Object.keys(Transport)
    for (const name of [
      "open_dev_fuse",
      "pipe_pair",
      "socketpair",
      "select_read",
      "read_frame",
      "write_frame",
      "fusermount3_mount"
    ])
      assert.include(exported, name)
    const squeezed = exported.map((name) => name.replaceAll("_", "").toLowerCase())
    assert.strictEqual(new Set(squeezed).size, exported.length, "one name for one thing")
    for (const name of ["fusermountmount", "fusermountunmount"]) assert.notInclude(squeezed, name)
  })
})

describe("errors", () => {
  const errnos = ["EAGAIN", "EINTR", "EINVAL", "ENODEV", "ENOENT", "ENOMEM", "ENOSYS", "EPERM", "EPIPE"] as const
  /** The addon's function under each, and how it is called. */
  const calls = {
    open_dev_fuse: () => open_dev_fuse,
    pipe_pair: () => pipe_pair,
    socketpair: () => socketpair(),
    read_frame: (handle: FuseHandle) => read_frame(handle),
    write_some: (handle: FuseHandle) => write_frame(handle, frame(40))
  }
  for (const [name, call] of Object.entries(calls)) {
    it.effect(`${name}: each errno of the system call is a tag`, () =>
      Effect.gen(function* () {
        const [handle] = yield* pipe_pair
        const attempt: Effect.Effect<unknown, TransportError, Scope.Scope> = call(handle)
        for (const errno of errnos) {
          const number = constants.errno[errno]
          const failing = vi.spyOn(addon, name as keyof typeof calls).mockReturnValue(-number)
          const error = yield* Effect.ensuring(
            Effect.flip(Effect.scoped(attempt)),
            Effect.sync(() => failing.mockRestore())
          )
          assert.strictEqual(error._tag, errno)
          assert.strictEqual(error.code, errno)
          assert.strictEqual(error.errno, number)
          assert.include(error.message, errno)
        }
      })
    )
  }

  it.live("can be caught by tag", () =>
    Effect.gen(function* () {
      const [reader] = yield* pipe_pair
      const caught = yield* Effect.catchTag(read_frame(reader), "EAGAIN", ({ syscall }) => Effect.succeed(syscall))
      assert.strictEqual(caught, "read")
    })
  )
})

describe("open_dev_fuse and a mount", () => {
  it.live(
    "opens the device for reading and writing, non-blocking, closed on exec; a read is EPERM until it is mounted",
    () =>
      Effect.gen(function* () {
        const handle = yield* open_dev_fuse
        assert.strictEqual(flagsOf(handle) & (O_RDWR | O_NONBLOCK | O_CLOEXEC), O_RDWR | O_NONBLOCK | O_CLOEXEC)
        assert.strictEqual(yield* tagOf(read_frame(handle)), "EPERM")
      })
  )

  it.live("gives INIT, refuses what is no reply, and ends with ENODEV", () =>
    Effect.gen(function* () {
      const mountpoint = yield* folder
      const { device, handle } = yield* mountDevice({ mountpoint })
      yield* select_read(handle)
      const small = yield* Effect.flip(read_frame(handle, { bound: 8191 }))
      assert.strictEqual(small._tag, "EINVAL")
      assert.include(small.message, "the bound of 8191 bytes is smaller than the kernel's largest frame: 8192 bytes")
      const init = yield* read_frame(handle)
      assert.strictEqual(
        new DataView(init.buffer).getUint32(0, true),
        init.length,
        "it was left where it was, and is whole"
      )
      assert.strictEqual(new DataView(init.buffer).getUint32(4, true), 26)
      assert.strictEqual(yield* tagOf(read_frame(handle)), "EAGAIN")
      const reply = new Uint8Array(16)
      new DataView(reply.buffer).setUint32(0, 16, true)
      new DataView(reply.buffer).setUint32(8, 77, true)
      assert.strictEqual(yield* tagOf(write_frame(handle, reply)), "ENOENT", "nobody awaits it")
      assert.strictEqual(
        yield* tagOf(write_frame(handle, [reply, reply])),
        "EINVAL",
        "its length is not what its header says"
      )
      yield* unmountDevice({ mountpoint, device }, { lazy: true })
      yield* select_read(handle)
      assert.strictEqual(yield* tagOf(read_frame(handle)), "ENODEV")
    })
  )
})

describe("pipe_pair", () => {
  it.live("is an end to read from and one to write to, which do not wait", () =>
    Effect.gen(function* () {
      const [reader, writer] = yield* pipe_pair
      assert.strictEqual(
        flagsOf(reader) & (O_RDWR | O_WRONLY | O_NONBLOCK | O_CLOEXEC),
        O_RDONLY | O_NONBLOCK | O_CLOEXEC
      )
      assert.strictEqual(
        flagsOf(writer) & (O_RDWR | O_WRONLY | O_NONBLOCK | O_CLOEXEC),
        O_WRONLY | O_NONBLOCK | O_CLOEXEC
      )
      assert.strictEqual(yield* tagOf(write_frame(reader, frame(40))), "EBADF")
      assert.strictEqual(yield* tagOf(read_frame(writer)), "EBADF")
    })
  )

  it.live("nothing there is EAGAIN; a frame comes as it was written, in one part or several", () =>
    Effect.gen(function* () {
      const [reader, writer] = yield* pipe_pair
      assert.strictEqual(yield* tagOf(read_frame(reader)), "EAGAIN")
      const whole = frame(100)
      yield* write_frame(writer, whole)
      assert.deepStrictEqual(yield* read_frame(reader), whole)
      yield* write_frame(
        writer,
        Array.from(whole, (byte) => Uint8Array.of(byte))
      )
      assert.deepStrictEqual(yield* read_frame(reader), whole, "a hundred parts")
      const buffer = Buffer.alloc(4096)
      buffer.set(whole, 1000)
      yield* write_frame(writer, buffer.subarray(1000, 1100))
      const first = yield* read_frame(reader)
      yield* write_frame(writer, new Uint8Array(100))
      yield* read_frame(reader)
      assert.deepStrictEqual(first, whole, "what was read is the reader's own")
    })
  )

  it.live("a full pipe is EAGAIN, and so is a short write, which tells how much went out", () =>
    Effect.gen(function* () {
      const [reader, writer] = yield* pipe_pair
      const large = frame(defaultBound)
      const short = yield* Effect.flip(write_frame(writer, large))
      assert.strictEqual(short._tag, "EAGAIN")
      const [, sent = ""] = /only (\d+) of the frame's 131152 bytes went out/.exec(short.message) ?? []
      const full = yield* Effect.flip(write_frame(writer, frame(40)))
      assert.strictEqual(full._tag, "EAGAIN")
      assert.notInclude(full.message, "only")
      assert.deepStrictEqual(yield* read_frame(reader), large.subarray(0, Number(sent)))
      assert.strictEqual(yield* tagOf(read_frame(reader)), "EAGAIN")
      yield* write_frame(writer, frame(40))
    })
  )

  it.live("a closed end: the reader finds the rest and then no bytes, the writer EPIPE", () =>
    Effect.gen(function* () {
      const [reader, writer] = yield* pipe_pair
      yield* write_frame(writer, frame(40))
      yield* close(writer)
      assert.strictEqual((yield* read_frame(reader)).length, 40)
      assert.strictEqual((yield* read_frame(reader)).length, 0)
      assert.strictEqual((yield* read_frame(reader)).length, 0, "and again")
      assert.strictEqual(yield* tagOf(write_frame(writer, frame(40))), "EBADF")
      const [other, into] = yield* pipe_pair
      yield* close(other)
      assert.strictEqual(yield* tagOf(write_frame(into, frame(40))), "EPIPE")
      assert.strictEqual(yield* tagOf(read_frame(other)), "EBADF")
    })
  )

  it.live("a readiness is one, and is armed again for the next", () =>
    Effect.gen(function* () {
      const [reader, writer] = yield* pipe_pair
      for (let round = 0; round < 3; round++) {
        let ready = 0
        const waiting = yield* Effect.forkChild(
          Effect.tap(select_read(reader), () => Effect.sync(() => ready++)),
          { startImmediately: true }
        )
        yield* turns
        assert.strictEqual(ready, 0, "nothing is there")
        yield* write_frame(writer, frame(40))
        yield* Fiber.join(waiting)
        yield* write_frame(writer, frame(40))
        yield* turns
        assert.strictEqual(ready, 1, "the second one finds nobody who waits")
        yield* select_read(reader)
        assert.strictEqual((yield* read_frame(reader)).length, 80)
        assert.strictEqual(yield* tagOf(read_frame(reader)), "EAGAIN")
      }
      yield* close(writer)
      yield* select_read(reader)
      assert.strictEqual((yield* read_frame(reader)).length, 0, "the end is a readiness too")
    })
  )

  it.live("frames cut anywhere: the parts come as they were sent", () =>
    Effect.gen(function* () {
      const [reader, writer] = yield* pipe_pair
      const whole = frame(80)
      for (let cut = 1; cut < whole.length; cut++) {
        yield* write_frame(writer, whole.subarray(0, cut))
        const first = yield* read_frame(reader)
        yield* write_frame(writer, whole.subarray(cut))
        assert.deepStrictEqual(first, whole.subarray(0, cut))
        assert.deepStrictEqual(yield* read_frame(reader), whole.subarray(cut))
      }
    })
  )

  it.live("frames cut anywhere, two at a time: a transport over the pipe puts them together", () =>
    Effect.gen(function* () {
      const [reader, writer] = yield* pipe_pair
      const transport = yield* makeDeviceTransport(reader, {
        write: writer,
        frameCapacity: 8192,
        bodyCapacity: 4096,
        slots: 4
      })
      const two = Buffer.concat([frame(80, 1), frame(50, 2)])
      /** The frames that are whole by now. */
      const whole = (): Array<Uint8Array> => {
        const frames: Array<Uint8Array> = []
        for (let slot = transport.receive(); slot !== undefined; slot = transport.receive()) {
          if (typeof slot === "string") throw new Error(slot)
          frames.push(contentOf(slot))
          transport.release(slot)
        }
        return frames
      }
      for (let cut = 1; cut < two.length; cut++) {
        yield* write_frame(writer, two.subarray(0, cut))
        const first = whole()
        assert.strictEqual(first.length, cut < 80 ? 0 : 1)
        yield* write_frame(writer, two.subarray(cut))
        assert.deepStrictEqual([...first, ...whole()], [frame(80, 1), frame(50, 2)], `cut after ${cut}`)
      }
    })
  )
})

const contentOf = (slot: Slot): Uint8Array => Uint8Array.from(slot.bytes.subarray(0, slot.end))

describe("socketpair", () => {
  it.live("has two ends that both read and write", () =>
    Effect.gen(function* () {
      for (const type of ["stream", "seqpacket"] as const) {
        const [one, other] = yield* socketpair({ type })
        yield* write_frame(one, frame(40))
        yield* write_frame(other, frame(50))
        assert.deepStrictEqual(yield* read_frame(other), frame(40))
        assert.deepStrictEqual(yield* read_frame(one), frame(50))
        assert.strictEqual(yield* tagOf(read_frame(one)), "EAGAIN")
        yield* close(other)
        assert.strictEqual(yield* tagOf(write_frame(one, frame(40))), "EPIPE")
        assert.strictEqual((yield* read_frame(one)).length, 0)
      }
    })
  )

  it.live("that nobody reads is EAGAIN, and ECONNRESET once it is closed like that", () =>
    Effect.gen(function* () {
      for (const type of ["stream", "seqpacket"] as const) {
        const [one, other] = yield* socketpair({ type })
        fill(one)
        assert.strictEqual(yield* tagOf(write_frame(one, frame(5000))), "EAGAIN")
        yield* close(other)
        assert.strictEqual(yield* tagOf(read_frame(one)), "ECONNRESET")
      }
    })
  )

  it.live("keeps frames apart when it is a seqpacket one", () =>
    Effect.gen(function* () {
      const [one, other] = yield* socketpair({ type: "seqpacket" })
      yield* write_frame(one, frame(40))
      yield* write_frame(one, frame(50))
      assert.deepStrictEqual(yield* read_frame(other), frame(40))
      assert.deepStrictEqual(yield* read_frame(other), frame(50))
      yield* close(one)
      assert.strictEqual((yield* read_frame(other)).length, 0)
    })
  )
})

describe("the bound", () => {
  it.live("is 128 KiB of payload and its headers: a larger frame is not written", () =>
    Effect.gen(function* () {
      for (const type of ["stream", "seqpacket"] as const) {
        const [one, other] = yield* socketpair({ type })
        for (const length of [defaultBound + 1, 204_800]) {
          for (const given of [frame(length), [frame(40), new Uint8Array(length - 40)]]) {
            const error = yield* Effect.flip(write_frame(one, given))
            assert.strictEqual(error._tag, "EINVAL")
            assert.include(
              error.message,
              `a frame of ${length} bytes is larger than the bound of ${defaultBound} bytes`
            )
          }
        }
        assert.strictEqual(yield* tagOf(read_frame(other)), "EAGAIN", "nothing went out")
        yield* write_frame(one, frame(defaultBound))
        assert.deepStrictEqual(yield* read_frame(other), frame(defaultBound))
      }
    })
  )

  it.live("keeps a larger frame unread, for a read with a larger one", () =>
    Effect.gen(function* () {
      const [one, other] = yield* socketpair({ type: "seqpacket" })
      yield* write_frame(one, frame(150_000), { bound: 150_000 })
      for (const bound of [undefined, 100, 149_999]) {
        const error = yield* Effect.flip(read_frame(other, bound === undefined ? {} : { bound }))
        assert.strictEqual(error._tag, "EINVAL")
        assert.include(
          error.message,
          `a frame of 150000 bytes is larger than the bound of ${bound ?? defaultBound} bytes`
        )
      }
      assert.deepStrictEqual(yield* read_frame(other, { bound: 150_000 }), frame(150_000))
      assert.strictEqual(yield* tagOf(read_frame(other)), "EAGAIN")
    })
  )

  it.live("is the most that a read takes from a pipe or a stream; the rest stays", () =>
    Effect.gen(function* () {
      for (const open of [pipe_pair, Effect.map(socketpair(), ([one, other]) => [other, one] as const)]) {
        const [reader, writer] = yield* open
        yield* write_frame(writer, frame(1000))
        const parts: Array<Uint8Array> = []
        for (let at = 0; at < 1000; at += 300) parts.push(yield* read_frame(reader, { bound: 300 }))
        assert.deepStrictEqual(
          parts.map(({ length }) => length),
          [300, 300, 300, 100]
        )
        assert.deepStrictEqual(new Uint8Array(Buffer.concat(parts)), frame(1000))
      }
    })
  )

  it.live("must be a number of bytes; an empty frame is none", () =>
    Effect.gen(function* () {
      const [reader, writer] = yield* pipe_pair
      for (const bound of [0, -1, 1.5, Number.NaN, Number.POSITIVE_INFINITY, 2 ** 31]) {
        for (const call of [read_frame(reader, { bound }), write_frame(writer, frame(40), { bound })]) {
          const error = yield* Effect.flip<unknown, TransportError, never>(call)
          assert.strictEqual(error._tag, "EINVAL")
          assert.include(error.message, `not ${bound}`)
        }
      }
      for (const empty of [new Uint8Array(0), [], [new Uint8Array(0)]])
        assert.strictEqual(yield* tagOf(write_frame(writer, empty)), "EINVAL")
      assert.strictEqual(yield* tagOf(read_frame(reader)), "EAGAIN")
    })
  )
})

describe("select_read", () => {
  it.live("fails with select_already_closed when the handle is closed, before or while it waits", () =>
    Effect.gen(function* () {
      const [reader] = yield* pipe_pair
      const waiting = yield* Effect.forkChild(select_read(reader), { startImmediately: true })
      yield* close(reader)
      assert.strictEqual((yield* Effect.flip(Fiber.join(waiting)))._tag, "select_already_closed")
      assert.strictEqual(yield* tagOf(select_read(reader)), "select_already_closed")
    })
  )

  it.live("fails with select_failed when somebody waits already", () =>
    Effect.gen(function* () {
      const [reader, writer] = yield* pipe_pair
      const waiting = yield* Effect.forkChild(select_read(reader), { startImmediately: true })
      const error = yield* Effect.flip(select_read(reader))
      assert.strictEqual(error._tag, "select_failed")
      assert.strictEqual(error.code, "EBUSY")
      yield* write_frame(writer, frame(40))
      yield* Fiber.join(waiting)
    })
  )

  it.live("fails with select_not_supported for a regular file", () =>
    Effect.gen(function* () {
      const number = yield* Effect.acquireRelease(
        Effect.sync(() => openSync(fileURLToPath(import.meta.url), "r")),
        (open) => Effect.sync(() => closeSync(open))
      )
      assert.strictEqual(yield* tagOf(select_read(yield* fromFd(number))), "select_not_supported")
    })
  )
})

describe("fusermount3_mount", () => {
  const helper = (script: string) =>
    Effect.map(folder, (path) => {
      const program = join(path, "fusermount3")
      writeFileSync(program, `#!/bin/sh\n${script}\n`)
      chmodSync(program, 0o755)
      return { program }
    })
  const refused = (script: string, timeout?: number) =>
    Effect.gen(function* () {
      const how = { ...(yield* helper(script)), ...(timeout === undefined ? {} : { timeout }) }
      return yield* Effect.flip(Effect.scoped(fusermount3_mount("/mnt/point", "ro", how)))
    })

  it.live("fusermount_no_fd: the helper ended without sending anything, whatever its status", () =>
    Effect.gen(function* () {
      for (const end of ["exit 0", "exit 1", "kill -9 $$"]) {
        const error = yield* refused(
          `echo 'fusermount3: bad mount point /mnt/point: No such file or directory' >&2; ${end}`
        )
        assert.strictEqual(error._tag, "fusermount_no_fd")
        assert.strictEqual(error.output, "fusermount3: bad mount point /mnt/point: No such file or directory\n")
        assert.include(error.message, "bad mount point /mnt/point")
      }
    })
  )

  it.live("fusermount_failed: it sent something that is not a descriptor", () =>
    Effect.gen(function* () {
      for (const end of ["exit 0", "exit 1"]) {
        const error = yield* refused(`echo mounted; printf rubbish >&"$_FUSE_COMMFD"; ${end}`)
        assert.strictEqual(error._tag, "fusermount_failed")
        assert.strictEqual(error.output, "mounted\n")
        assert.include(error.message, "is not a descriptor")
        assert.include(error.message, "mounted")
      }
    })
  )

  it.live("fusermount_failed: it was killed at the end of its time, or cannot be run", () =>
    Effect.gen(function* () {
      const killed = yield* refused("exec sleep 1000", 50)
      assert.strictEqual(killed._tag, "fusermount_failed")
      assert.strictEqual(killed.code, "ETIMEDOUT")
      const missing = yield* Effect.flip(
        Effect.scoped(fusermount3_mount("/mnt/point", "ro", { program: "/nonexistent/fusermount3" }))
      )
      assert.strictEqual(missing._tag, "fusermount_failed")
      assert.strictEqual(missing.code, "ENOENT")
    })
  )

  it.live("the real one mounts, with no options too, and names a mountpoint that is not there", () =>
    Effect.gen(function* () {
      const mountpoint = yield* folder
      const missing = yield* Effect.flip(Effect.scoped(fusermount3_mount(join(mountpoint, "missing"), "")))
      assert.strictEqual(missing._tag, "fusermount_no_fd")
      assert.strictEqual(missing.code, "ENOENT")
      assert.include(missing.output, join(mountpoint, "missing"))
      const rejected = yield* Effect.flip(Effect.scoped(fusermount3_mount(mountpoint, "max_read=many")))
      assert.strictEqual(rejected._tag, "fusermount_no_fd", rejected.message)
      const handle = yield* fusermount3_mount(mountpoint, "")
      yield* Effect.addFinalizer(() => Effect.ignore(unmountDevice({ mountpoint }, { lazy: true })))
      yield* select_read(handle)
      const init = yield* read_frame(handle)
      assert.strictEqual(new DataView(init.buffer).getUint32(4, true), 26)
    })
  )
})

it("the example of the page runs, and prints what the page says", async () => {
  const page = readFileSync(join(root, "docs", "transport.md"), "utf8")
  const [, program] = /```ts\n([\s\S]*?)```/.exec(page) ?? []
  assert.isDefined(program)
  const { stdout } = await promisify(execFile)(
    process.execPath,
    [
      "--conditions=development",
      "--disable-warning=ExperimentalWarning",
      "--input-type=module-typescript",
      "--eval",
      program ?? ""
    ],
    { cwd: root }
  )
  const lines = stdout.trimEnd().split("\n")
  assert.deepStrictEqual(lines, ["nothing yet", "lookup of hello", "the end"])
  assert.include(
    page,
    `It prints ${lines
      .slice(0, -1)
      .map((line) => `\`${line}\``)
      .join(", ")} and \`${lines.at(-1)}\`.`
  )
})
