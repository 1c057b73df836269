/** A session driven end to end by a test that plays the kernel. */
import { assert, describe, it } from "@effect/vitest"
import { type Backend, Errno } from "@bickford/session"
import { FakeKernel } from "@bickford/session/testing"
import * as Deferred from "effect/Deferred"
import * as Effect from "effect/Effect"
import * as Exit from "effect/Exit"

const epoch = { sec: 0, nsec: 0 }
const attr = (ino: number, mode: number) => ({
  ino, size: 5, blocks: 1, atime: epoch, mtime: epoch, ctime: epoch, mode, nlink: 1, uid: 0, gid: 0, rdev: 0, blksize: 4096, flags: 0
})
const file = { nodeid: 2, generation: 0, entryValid: epoch, attrValid: epoch, attr: attr(2, 0o100644) }

/** One file, `hello`, under the root; what a test needs more, it adds. */
const hello = (more: Partial<Backend> = {}): Backend => ({
  lookup: (request) => request.name === "hello" ? Exit.succeed(file) : Errno.ENOENT,
  getattr: (request) => Exit.succeed({ attrValid: epoch, attr: request.nodeid === 1 ? attr(1, 0o40755) : attr(2, 0o100644) }),
  read: () => Exit.succeed(new TextEncoder().encode("hello")),
  ...more
})

const decode = (data: Uint8Array | ReadonlyArray<Uint8Array>): string =>
  Buffer.concat(data instanceof Uint8Array ? [data] : data).toString()

describe("a session over a socketpair", () => {
  it.live("answers INIT, then serves", () =>
    Effect.gen(function*() {
      const { kernel, session } = yield* FakeKernel.serve(hello())
      const init = yield* kernel.init()
      assert.strictEqual(init.major, 7)
      assert.strictEqual((yield* session.negotiated).major, 7)
      const entry = yield* kernel.call({ op: "lookup", name: "hello" })
      assert.deepStrictEqual(entry, file)
      assert.strictEqual(decode(yield* kernel.call({ op: "read", nodeid: 2, fh: 0, offset: 0, size: 4096, readFlags: 0, lockOwner: 0, flags: 0 })), "hello")
      assert.strictEqual((yield* Effect.flip(kernel.call({ op: "lookup", name: "absent" })))._tag, "ENOENT")
      assert.strictEqual((yield* Effect.flip(kernel.call({ op: "readlink", nodeid: 2 })))._tag, "ENOSYS")
      assert.deepStrictEqual(kernel.unexpected(), [])
    }))

  it.live("counts lookups, and tells the backend when the kernel has let go of a node", () =>
    Effect.gen(function*() {
      const forgotten = yield* Deferred.make<number | bigint>()
      const { kernel, session } = yield* FakeKernel.serve(hello({
        forget: (nodeid) => {
          Deferred.doneUnsafe(forgotten, Effect.succeed(nodeid))
        }
      }))
      yield* kernel.init()
      yield* kernel.call({ op: "lookup", name: "hello" })
      yield* kernel.call({ op: "lookup", name: "hello" })
      assert.strictEqual(session.connection.nodes.count(2), 2)
      yield* kernel.forget(2, 1)
      yield* kernel.call({ op: "getattr", getattrFlags: 0, fh: 0 })
      assert.strictEqual(session.connection.nodes.count(2), 1)
      yield* kernel.forget(2, 1)
      assert.strictEqual(yield* Deferred.await(forgotten), 2)
      assert.strictEqual(session.connection.nodes.size, 0)
    }))

  it.live("a defect costs that call EIO and nothing else", () =>
    Effect.gen(function*() {
      const { kernel, session } = yield* FakeKernel.serve(hello({
        readlink: () => {
          throw new Error("a bug in a filesystem")
        },
        open: () => Effect.die("another"),
        // A file type of zero would poison the kernel's inode.
        getattr: () => Exit.succeed({ attrValid: epoch, attr: attr(1, 0) })
      }))
      yield* kernel.init()
      assert.strictEqual((yield* Effect.flip(kernel.call({ op: "readlink", nodeid: 2 })))._tag, "EIO")
      assert.strictEqual((yield* Effect.flip(kernel.call({ op: "open", nodeid: 2, flags: 0, openFlags: 0 })))._tag, "EIO")
      assert.strictEqual((yield* Effect.flip(kernel.call({ op: "getattr", getattrFlags: 0, fh: 0 })))._tag, "EIO")
      assert.strictEqual(session.connection.counters.defects, 3)
      yield* kernel.call({ op: "lookup", name: "hello" })
    }))

  it.live("an INTERRUPT stops an interruptible operation, runs its finalizers and answers EINTR once", () =>
    Effect.gen(function*() {
      const started = yield* Deferred.make<void>()
      let finalized = false
      const { kernel, session } = yield* FakeKernel.serve(hello({
        read: () =>
          Deferred.succeed(started, undefined).pipe(
            Effect.andThen(Effect.never),
            Effect.ensuring(Effect.sync(() => {
              finalized = true
            }))
          )
      }))
      yield* kernel.init()
      const unique = yield* kernel.send({ op: "read", nodeid: 2, fh: 0, offset: 0, size: 4096, readFlags: 0, lockOwner: 0, flags: 0 })
      yield* Deferred.await(started)
      yield* kernel.interrupt(unique)
      assert.strictEqual((yield* kernel.reply(unique)).error, 4)
      assert.isTrue(finalized)
      assert.strictEqual(session.connection.inFlight.size, 0)
      assert.deepStrictEqual(kernel.unexpected(), [])
    }))

  it.live("an INTERRUPT leaves a change of the namespace alone", () =>
    Effect.gen(function*() {
      const started = yield* Deferred.make<void>()
      const go = yield* Deferred.make<void>()
      const { kernel } = yield* FakeKernel.serve(hello({
        mkdir: () => Deferred.succeed(started, undefined).pipe(Effect.andThen(Deferred.await(go)), Effect.as({ ...file, attr: attr(2, 0o40755) }))
      }))
      yield* kernel.init()
      const unique = yield* kernel.send({ op: "mkdir", name: "d", mode: 0o755, umask: 0 })
      yield* Deferred.await(started)
      yield* kernel.interrupt(unique)
      // Answered after the INTERRUPT, which has therefore been applied.
      yield* kernel.call({ op: "lookup", name: "hello" })
      yield* Deferred.succeed(go, undefined)
      assert.strictEqual((yield* kernel.reply(unique)).error, 0)
    }))

  it.live("slow writes hold neither each other nor later requests up, however many there are", () =>
    Effect.gen(function*() {
      const go = yield* Deferred.make<void>()
      const seen: Array<string> = []
      const { kernel, session } = yield* FakeKernel.serve(hello({
        write: (request) => Effect.andThen(Deferred.await(go), Effect.sync(() => {
          seen.push(Buffer.from(request.data).toString())
          return request.data.length
        }))
      }))
      yield* kernel.init()
      const uniques: Array<number | bigint> = []
      for (let index = 0; index < 40; index++) {
        const data = Buffer.from(`write ${index}`)
        uniques.push(yield* kernel.send({ op: "write", nodeid: 2, fh: 0, offset: 0, size: data.length, writeFlags: 0, lockOwner: 0, flags: 0, data }))
      }
      yield* kernel.call({ op: "lookup", name: "hello" })
      assert.strictEqual(session.connection.inFlight.size, 40)
      yield* Deferred.succeed(go, undefined)
      for (const unique of uniques) assert.strictEqual((yield* kernel.reply(unique)).error, 0)
      assert.deepStrictEqual(seen, Array.from({ length: 40 }, (_, index) => `write ${index}`))
    }))

  it.live("a malformed frame is answered EIO, and serving goes on", () =>
    Effect.gen(function*() {
      const { kernel, session } = yield* FakeKernel.serve(hello())
      yield* kernel.init()
      const frame = new Uint8Array(44)
      const view = new DataView(frame.buffer)
      view.setUint32(0, 44, true)
      view.setUint32(4, 15, true)
      view.setUint32(8, 1000, true)
      yield* kernel.sendRaw(frame)
      yield* kernel.call({ op: "lookup", name: "hello" })
      assert.strictEqual(session.connection.counters.malformed, 1)
      assert.deepStrictEqual(kernel.unexpected().map((reply) => reply.error), [5])
    }))

  it.live("hanging up ends the session: calls in flight are stopped, destroy runs once, the backend is released", () =>
    Effect.gen(function*() {
      const events: Array<string> = []
      const started = yield* Deferred.make<void>()
      const source = Effect.acquireRelease(
        Effect.succeed(hello({
          read: () =>
            Deferred.succeed(started, undefined).pipe(
              Effect.andThen(Effect.never),
              Effect.onInterrupt(() => Effect.sync(() => events.push("read stopped")))
            ),
          destroy: () => Effect.sync(() => events.push("destroy"))
        })),
        () => Effect.sync(() => events.push("released"))
      )
      const { kernel, session } = yield* FakeKernel.serve(source, { drain: 10 })
      yield* kernel.init()
      yield* kernel.send({ op: "read", nodeid: 2, fh: 0, offset: 0, size: 1, readFlags: 0, lockOwner: 0, flags: 0 })
      yield* Deferred.await(started)
      yield* kernel.close
      assert.deepStrictEqual(yield* session.awaitEnd, { reason: "closed" })
      assert.deepStrictEqual(events, ["read stopped", "destroy", "released"])
    }))
})
