/**
 * A filesystem in the same program, without a mount: a session whose requests come from the program itself.
 *
 * The frames go by memory, no descriptor is opened, and no kernel copies. All that a session does for a mount holds here
 * too: deadlines, limits, group commits, EIO for what a backend does wrong.
 */
import {
  errnoNumbers,
  type InitReply,
  operations,
  protocolVersion,
  type ReplyOf,
  type Request,
  type U64
} from "@bickford/protocol"
import {
  decodeReply,
  encodeRequest,
  getU64,
  hasFlag,
  isDecodeError,
  isEncodeError,
  structs
} from "@bickford/protocol/codec"
import * as Effect from "effect/Effect"
import * as Exit from "effect/Exit"
import type * as Scope from "effect/Scope"
import type { SupervisorError } from "@bickford/supervisor"
import { embedFrames } from "../embed.ts"
import { Errno, errnoError, type ErrnoError, errnoErrorNamed } from "../errno.ts"
import type { OptionError } from "../options.ts"
import type { BackendSource, Session, SessionOptions } from "../Session.ts"
import type { KernelSide, RequestInput } from "./KernelSide.ts"

/** A session in the program's own memory, and its calls. */
export interface LocalKernel extends KernelSide {
  readonly session: Session
  /** Hangs up, as an unmount does: the session ends when what is under way has been answered. */
  readonly hangUp: Effect.Effect<void>
}

/** What is awaited: its request, and who takes the answer; undefined once nobody waits. */
interface Awaited {
  readonly request: Request
  take: ((exit: Exit.Exit<unknown, ErrnoError>) => void) | undefined
}

/** A kernel counts from 2 on: a backend that several connections share tells requests apart by these numbers. */
const firstUnique = 2 ** 52
/** Everything that a kernel offers. */
const offer = { maxReadahead: 131072, flags: 0x73fffffb, flags2: 0x7fd }
const { outHeader } = structs

/** Who this process is. Taken once: sandboxes in the same program forbid to ask while their code runs. */
const identity = () => ({ uid: process.geteuid?.() ?? 0, gid: process.getegid?.() ?? 0, pid: process.pid })

/** The permissions that a new file gets: the caller's mask is the kernel's to apply, unless that was left to the backend. */
const masked = (request: Request, agreed: InitReply | undefined): Request => {
  if (!("umask" in request) || (agreed !== undefined && hasFlag(agreed, "FUSE_DONT_MASK"))) return request
  return { ...request, mode: request.mode & ~request.umask }
}

/** Sends requests, and gives each its answer. */
class Requests {
  agreed: InitReply | undefined
  ended = false
  readonly #awaited = new Map<U64, Awaited>()
  readonly #process: (frame: Uint8Array) => boolean
  readonly #identity = identity()
  #next = firstUnique

  constructor(process: (frame: Uint8Array) => boolean) {
    this.#process = process
  }

  #request(input: RequestInput): Request {
    const unique = this.#next
    this.#next += 2
    // The input lacks at most the header's fields, which are put in here.
    return masked({ nodeid: 1, ...this.#identity, unique, ...input } as Request, this.agreed)
  }

  /** Encodes and sends; undefined, or why it could not be sent. */
  #send(request: Request): ErrnoError | undefined {
    const { agreed } = this
    const version =
      agreed === undefined ? undefined : { minor: agreed.minor, setxattrExt: hasFlag(agreed, "FUSE_SETXATTR_EXT") }
    const frame = encodeRequest(request, version)
    if (isEncodeError(frame)) return errnoError(errnoNumbers[frame.errno])
    return this.#process(frame) ? undefined : errnoErrorNamed("ENOTCONN")
  }

  post(input: RequestInput): void {
    if (!this.ended) this.#send(this.#request(input))
  }

  readonly call = <R extends RequestInput & { readonly op: keyof ReplyOf }>(
    input: R
  ): Effect.Effect<ReplyOf[R["op"]], ErrnoError> =>
    Effect.callback<ReplyOf[R["op"]], ErrnoError>((resume) => {
      if (this.ended) {
        resume(Errno.ENOTCONN)
        return
      }
      const request = this.#request(input)
      const awaited: Awaited = {
        request,
        // The opcode table pairs the request's operation with the shape of its reply.
        take: (exit) => resume(exit as Exit.Exit<ReplyOf[R["op"]], ErrnoError>)
      }
      this.#awaited.set(request.unique, awaited)
      const refusal = this.#send(request)
      if (refusal !== undefined) {
        this.#awaited.delete(request.unique)
        resume(Effect.fail(refusal))
        return
      }
      return Effect.sync(() => {
        awaited.take = undefined
        this.post({ op: "interrupt", nodeid: 0, pid: 0, target: request.unique })
      })
    })

  /** Takes a reply; notifications are for caches, and here is none. */
  readonly receive = (frame: Uint8Array): void => {
    const view = new DataView(frame.buffer, frame.byteOffset, frame.byteLength)
    const unique = getU64(view, outHeader.unique)
    const awaited = this.#awaited.get(unique)
    if (awaited === undefined) return
    this.#awaited.delete(unique)
    const { request, take } = awaited
    const exit = outcomeOf(view.getInt32(outHeader.error, true), frame, request)
    if (take !== undefined) take(exit)
    else if (Exit.isSuccess(exit)) this.#giveBack(request, exit.value)
  }

  /** What an answer brought when nobody waited for it any more. */
  #giveBack(request: Request, value: unknown): void {
    const { reply } = operations[request.op]
    // The table pairs these operations with these replies.
    const nodeid =
      reply === "found" || reply === "entry"
        ? (value as ReplyOf["lookup"]).nodeid
        : reply === "created"
          ? (value as ReplyOf["create"]).entry.nodeid
          : 0
    const opened =
      reply === "opened"
        ? { nodeid: request.nodeid, fh: (value as ReplyOf["open"]).fh }
        : reply === "created"
          ? { nodeid, fh: (value as ReplyOf["create"]).open.fh }
          : undefined
    const op = request.op === "opendir" ? "releasedir" : "release"
    if (opened !== undefined)
      Effect.runFork(Effect.ignore(this.call({ op, ...opened, flags: 0, releaseFlags: 0, lockOwner: 0 })))
    if (nodeid !== 0) this.post({ op: "forget", nodeid, nlookup: 1, pid: 0 })
  }

  /** Whoever still waits is told that the connection is gone. */
  end(): void {
    this.ended = true
    for (const { take } of this.#awaited.values()) take?.(Errno.ENOTCONN)
    this.#awaited.clear()
  }
}

const outcomeOf = (error: number, frame: Uint8Array, request: Request): Exit.Exit<unknown, ErrnoError> => {
  if (error !== 0) return Exit.fail(errnoError(-error))
  const decoded = decodeReply(frame, request)
  return isDecodeError(decoded) ? Errno.EIO : Exit.succeed(decoded.value)
}

/** Serves `source` to the program itself. Closing the scope hangs up; the backend's `destroy` has run then. */
export const localKernel = (
  source: BackendSource,
  options?: SessionOptions
): Effect.Effect<LocalKernel, ErrnoError | OptionError | SupervisorError, Scope.Scope> =>
  Effect.gen(function* () {
    let receive: (frame: Uint8Array) => void = () => {}
    const { exit, process: deliver, session } = yield* embedFrames(source, (frame) => receive(frame), options)
    const requests = new Requests(deliver)
    receive = requests.receive
    yield* Effect.forkScoped(Effect.tap(session.awaitEnd, () => Effect.sync(() => requests.end())))
    const { major, minor } = protocolVersion
    requests.agreed = yield* requests.call({ op: "init", nodeid: 0, major, minor, ...offer })
    const hangUp = Effect.sync(exit)
    const umask = process.umask()
    yield* Effect.addFinalizer(() => Effect.andThen(hangUp, session.awaitEnd))
    return {
      session,
      hangUp,
      call: requests.call,
      batchForget: (forgets) => Effect.sync(() => requests.post({ op: "batchForget", nodeid: 0, pid: 0, forgets })),
      // A frame that was handed over has been taken.
      settled: Effect.void,
      agreed: () => requests.agreed,
      ready: Effect.void,
      umask: () => umask
    }
  })
