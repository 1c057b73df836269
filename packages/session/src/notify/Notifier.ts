/**
 * Notifications: what a server tells the kernel unasked.
 *
 * The kernel may have to wait for an unanswered request before it can take one (an INVAL_INODE for the
 * pages of a READ, an INVAL_ENTRY for a directory's lock). So they have a queue of their own, are written
 * by another thread, and an operation that sends one does not wait for it: its own answer may be what
 * the kernel waits for.
 */
import { randomInt } from "node:crypto"
import * as Context from "effect/Context"
import * as Deferred from "effect/Deferred"
import * as Effect from "effect/Effect"
import type { FrameTransport } from "@bickford/transport"
import { errnoError, type ErrnoError } from "../errno.ts"
import { makeNotificationQueue } from "./queue.ts"
import { errnoNumbers, invalEntryFlags, protocolVersion } from "@bickford/protocol"
import type { Data, Name, Negotiated, Notification, S64, U64 } from "@bickford/protocol"
import { encodeNotification, isEncodeError } from "@bickford/protocol/codec"

type Sent = Effect.Effect<void, ErrnoError>

/**
 * Every notification. Each succeeds once the kernel has taken it; from inside an operation, once it is
 * queued. Fails with ENOENT when the kernel does not hold what it is about, ENOSYS when the kernel is too
 * old, ENOTCONN when the connection has ended.
 */
export interface Notify {
  /** An open file's poll state may have changed; `kh` is what POLL was given. */
  readonly poll: (kh: U64) => Sent
  /** Drops a node's cached attributes and, from `offset` on, `length` bytes of its pages (0: all). A negative offset: attributes only. */
  readonly invalInode: (nodeid: U64, offset?: S64, length?: S64) => Sent
  /**
   * Drops a node's cached attributes before it returns, and so before the answer of the operation that calls it is seen.
   * Only from inside an operation on that very node: the kernel holds its inode then, and has nothing to wait for.
   */
  readonly dropAttributes: (nodeid: U64) => void
  /** Drops a name; `expireOnly` only has it looked up again (7.38). */
  readonly invalEntry: (parent: U64, name: Name, options?: { readonly expireOnly?: boolean }) => Sent
  /** A name was removed: as `invalEntry`, and those who watch the directory are told. */
  readonly delete: (parent: U64, child: U64, name: Name) => Sent
  /** Puts bytes into a node's page cache. */
  readonly store: (nodeid: U64, offset: U64, data: Data) => Sent
  /** Reads a node's page cache; shorter where it holds less. At most `maxWrite` bytes. Not from inside an operation (EDEADLK). */
  readonly retrieve: (nodeid: U64, offset: U64, size: number) => Effect.Effect<Uint8Array, ErrnoError>
  /** Has every unanswered request delivered again (7.40). */
  readonly resend: () => Sent
  /** Every cached name is to be looked up again (7.44). */
  readonly incEpoch: () => Sent
  /** Drops nodes that nobody uses (7.45). */
  readonly prune: (nodeids: ReadonlyArray<U64>) => Sent
}

/** True in the fibers of operations. */
export const InsideOperation = Context.Reference<boolean>("@bickford/session/InsideOperation", {
  defaultValue: () => false
})

export interface Notifier extends Notify {
  readonly send: (notification: Notification) => Sent
  /** Takes a NOTIFY_REPLY: `unique` is the retrieval's, the bytes are copied. */
  readonly retrieved: (unique: U64, data: Uint8Array) => void
  /** The connection has ended: whoever waits is told so, and nothing more is sent. */
  readonly end: () => void
}

const fail = (errno: number) => Effect.fail(errnoError(errno))

const outcome = (result: number): Sent => {
  if (result === 0) return Effect.void
  return fail(
    result === -errnoNumbers.EBADF || result === -errnoNumbers.ENODEV || result === -errnoNumbers.EPIPE
      ? errnoNumbers.ENOTCONN
      : -result
  )
}

/** Whether the agreement has what a notification needs beyond the minor, which the encoder checks. */
const supported = (notification: Notification, agreed: Negotiated): boolean => {
  if (notification.notify === "resend") return agreed.resend
  if (notification.notify === "invalEntry" && (notification.flags & invalEntryFlags.FUSE_EXPIRE_ONLY) !== 0)
    return agreed.expireOnly
  return true
}

export const makeNotifier = (transport: FrameTransport, negotiated: () => Negotiated | undefined): Notifier => {
  const queue = makeNotificationQueue(transport)
  // What the kernel was asked by an earlier server of the connection is answered to this one.
  let retrievals = randomInt(2 ** 47)
  const waiting = new Map<U64, Deferred.Deferred<Uint8Array, ErrnoError>>()

  const post = (notification: Notification, wait: boolean): Sent =>
    Effect.suspend(() => {
      const agreed = negotiated()
      // INIT itself can be asked for again.
      if (queue.isEnded() || (agreed === undefined && notification.notify !== "resend"))
        return fail(errnoNumbers.ENOTCONN)
      if (agreed !== undefined && !supported(notification, agreed)) return fail(errnoNumbers.ENOSYS)
      const parts = encodeNotification(notification, agreed?.minor ?? protocolVersion.minor)
      if (isEncodeError(parts)) return fail(errnoNumbers[parts.errno])
      if (wait) return Effect.flatMap(queue.write(parts), outcome)
      // The bytes are the caller's again before they are taken.
      queue.enqueue(parts.map((part) => part.slice())).catch(() => undefined)
      return Effect.void
    })

  const send = (notification: Notification): Sent =>
    Effect.flatMap(InsideOperation, (inside) => post(notification, !inside))

  const retrieve = (nodeid: U64, offset: U64, size: number): Effect.Effect<Uint8Array, ErrnoError> =>
    Effect.gen(function* () {
      if (yield* InsideOperation) return yield* fail(errnoNumbers.EDEADLK)
      const notifyUnique = ++retrievals
      const answer = Deferred.makeUnsafe<Uint8Array, ErrnoError>()
      waiting.set(notifyUnique, answer)
      return yield* post({ notify: "retrieve", notifyUnique, nodeid, offset, size }, true).pipe(
        Effect.andThen(Deferred.await(answer)),
        Effect.ensuring(Effect.sync(() => waiting.delete(notifyUnique)))
      )
    })

  return {
    send,
    retrieved: (unique, data) => {
      const answer = waiting.get(unique)
      if (answer !== undefined) Deferred.doneUnsafe(answer, Effect.succeed(data.slice()))
    },
    end: () => {
      queue.end()
      for (const answer of waiting.values()) Deferred.doneUnsafe(answer, fail(errnoNumbers.ENOTCONN))
    },
    poll: (kh) => send({ notify: "poll", kh }),
    invalInode: (ino, off = 0, len = 0) => send({ notify: "invalInode", ino, off, len }),
    dropAttributes: (ino) => {
      const agreed = negotiated()
      if (queue.isEnded() || agreed === undefined) return
      const parts = encodeNotification({ notify: "invalInode", ino, off: -1, len: 0 }, agreed.minor)
      // ENOENT: the kernel has forgotten the node, and its attributes.
      if (!isEncodeError(parts)) transport.notifyNow(...parts)
    },
    invalEntry: (parent, name, options) =>
      send({
        notify: "invalEntry",
        parent,
        name,
        flags: options?.expireOnly === true ? invalEntryFlags.FUSE_EXPIRE_ONLY : 0
      }),
    delete: (parent, child, name) => send({ notify: "delete", parent, child, name }),
    store: (nodeid, offset, data) => send({ notify: "store", nodeid, offset, data }),
    retrieve,
    resend: () => send({ notify: "resend" }),
    incEpoch: () => send({ notify: "incEpoch" }),
    prune: (nodeids) => send({ notify: "prune", nodeids })
  }
}
