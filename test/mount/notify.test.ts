/** Notifications to the real kernel: what it has cached is dropped, and nothing deadlocks. */
import { assert, describe, it } from "@effect/vitest"
import { type Entry, openReplyFlags } from "@bickford/protocol"
import { type Backend, Errno, type ErrnoError } from "@bickford/session"
import * as Deferred from "effect/Deferred"
import * as Effect from "effect/Effect"
import * as Exit from "effect/Exit"
import * as Fiber from "effect/Fiber"
import { join } from "node:path"
import { serve } from "./inProcess.ts"

const long = { sec: 3600, nsec: 0 }
const epoch = { sec: 0, nsec: 0 }

/** One file whose name and content the test changes behind the kernel's back; all is cached for long. */
const makeChanging = () => {
  const nothing: Effect.Effect<void, ErrnoError> = Effect.void
  const state = { name: "file", content: Buffer.from("one\n"), reads: 0, beforeRead: nothing, beforeLookup: nothing }
  const attr = (ino: number) => ({
    ino,
    mode: ino === 1 ? 0o40755 : 0o100644,
    size: ino === 1 ? 0 : state.content.length,
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
  const entry = (): Entry => ({ nodeid: 2, generation: 0, entryValid: long, attrValid: long, attr: attr(2) })
  const backend: Backend = {
    capabilities: { autoInvalData: false },
    getattr: ({ nodeid }) => Exit.succeed({ attrValid: long, attr: attr(Number(nodeid)) }),
    lookup: ({ name }) =>
      Effect.andThen(
        state.beforeLookup,
        Effect.suspend(() => (name === state.name ? Effect.succeed(entry()) : Errno.ENOENT))
      ),
    open: () => Exit.succeed({ fh: 0, openFlags: openReplyFlags.FOPEN_KEEP_CACHE }),
    read: ({ offset, size }) => {
      state.reads++
      return Effect.andThen(
        state.beforeRead,
        Effect.sync(() => state.content.subarray(Number(offset), Number(offset) + size))
      )
    }
  }
  return { state, backend }
}

describe("notifications to the kernel", () => {
  it.live("invalInode, invalEntry and store change what programs see; retrieve sees what is cached", () =>
    Effect.gen(function* () {
      const { backend, state } = makeChanging()
      const {
        mounted: {
          session: { notify }
        },
        mountpoint,
        attempt,
        run
      } = yield* serve(backend)
      const file = join(mountpoint, "file")
      assert.strictEqual((yield* Effect.flip(notify.invalInode(2)))._tag, "ENOENT", "the kernel does not hold it yet")
      assert.strictEqual(yield* run("cat", [file]), "one\n")
      state.content = Buffer.from("two\n")
      assert.strictEqual(yield* run("cat", [file]), "one\n", "cached")
      yield* notify.invalInode(2)
      assert.strictEqual(yield* run("cat", [file]), "two\n")

      yield* notify.store(2, 0, Buffer.from("new\n"))
      assert.strictEqual(yield* run("cat", [file]), "new\n")
      assert.strictEqual(Buffer.from(yield* notify.retrieve(2, 0, 4)).toString(), "new\n")
      assert.strictEqual(state.reads, 2)

      state.name = "other"
      assert.strictEqual((yield* attempt("stat", [file])).status, 0, "cached")
      yield* notify.invalEntry(1, "file")
      assert.include((yield* attempt("stat", [file])).stderr, "No such file")
      assert.strictEqual((yield* attempt("stat", [join(mountpoint, "other")])).status, 0)
      state.name = "third"
      yield* notify.delete(1, 2, "other")
      assert.include((yield* attempt("stat", [join(mountpoint, "other")])).stderr, "No such file")
      assert.strictEqual((yield* Effect.flip(notify.invalEntry(1, "never")))._tag, "ENOENT")
      yield* notify.incEpoch()
      yield* notify.resend()
    })
  )

  it.live("one that waits for an unanswered READ does not keep the read from being answered", () =>
    Effect.gen(function* () {
      const { backend, state } = makeChanging()
      const {
        mounted: { session },
        mountpoint,
        run
      } = yield* serve(backend)
      const file = join(mountpoint, "file")
      const asked = yield* Deferred.make<void>()
      const answer = yield* Deferred.make<void>()
      state.beforeRead = Effect.andThen(Deferred.succeed(asked, undefined), Deferred.await(answer))
      const cat = yield* Effect.forkChild(run("cat", [file]))
      yield* Deferred.await(asked)
      // The kernel waits with it for the page that the READ is for.
      const notification = yield* Effect.forkChild(session.notify.invalInode(2))
      yield* run("stat", [mountpoint])
      assert.isUndefined(notification.pollUnsafe())
      yield* Deferred.succeed(answer, undefined)
      assert.strictEqual(yield* Fiber.join(cat), "one\n")
      yield* Fiber.join(notification)
    })
  )

  it.live("one from inside the operation that it would wait for is only queued", () =>
    Effect.gen(function* () {
      const { backend, state } = makeChanging()
      const {
        mounted: { session },
        mountpoint,
        run
      } = yield* serve(backend)
      const file = join(mountpoint, "file")
      const told: Array<string> = []
      state.beforeRead = Effect.asVoid(
        Effect.tap(session.notify.invalInode(2), () => Effect.sync(() => told.push("read")))
      )
      state.beforeLookup = Effect.asVoid(
        Effect.tap(session.notify.invalEntry(1, "file"), () => Effect.sync(() => told.push("lookup")))
      )
      assert.strictEqual(yield* run("cat", [file]), "one\n")
      assert.include(told, "read")
      assert.include(told, "lookup")
      state.beforeRead = Effect.void
      state.beforeLookup = Effect.void
      assert.strictEqual(yield* run("cat", [file]), "one\n")
      yield* session.notify.incEpoch()
    })
  )
})
