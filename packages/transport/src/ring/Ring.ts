/**
 * FUSE over io_uring as this side sees it: entries that hold one request each, in memory that the kernel writes and reads.
 *
 * Of each entry there is a `struct fuse_uring_req_header` (the request's header and first argument struct, the reply's header)
 * and a payload (the rest of the request; the whole body of the reply).
 */
import { structs } from "@bickford/protocol/codec"
import type { FuseHandle } from "../FuseHandle.ts"
import { ringLists, ringWords } from "../sharedWords.ts"

/** Words of `control`, and where its lists begin. */
export const ringControl = { ...ringWords, lists: ringLists } as const

declare const answererBrand: unique symbol

/** What answers requests in the addon, so that JavaScript is told of none of them: a thing of the addon's. */
export interface RequestAnswerer {
  readonly [answererBrand]: true
}

/** The kernel's side; the addon's, or a test's. */
export interface Ring {
  /**
   * Words of 32 bits: those of `ringControl`, then as many as there are entries with the numbers of those to commit, then as many
   * with those that have a request. Who takes the ready ones sets their count to 0.
   */
  readonly control: ArrayBuffer
  /** Bytes from one header to the next. */
  readonly header_stride: number
  /**
   * Registers all entries for a connection whose INIT has been answered, with payloads of so many bytes. Returns their memory:
   * the headers, then from the next page on the payloads, each of whole pages. A negative errno: the kernel serves the connection by
   * the device, and the ring is closed.
   *
   * `memory` is the number of memory that others of this connection know; the kernel is then not told to serve by the device. What
   * an earlier ring of that memory, which was closed, had called back for is answered EIO; what it had not is ready.
   */
  readonly register: (device: FuseHandle, payload: number, memory?: number) => ArrayBuffer | number
  /** Calls back on the event loop while entries are ready, or with a negative errno when the ring is of no use any more. 0 or a negative errno. */
  readonly start: (callback: (status: number) => void) => number
  /** Calls nobody back any more; what comes waits. Idempotent. */
  readonly stop: () => void
  /** Commits what is to be committed now. 0 or a negative errno. */
  readonly submit: () => number
  /** What answers requests before anybody is called, in place of another; undefined for nothing. */
  readonly answer_by: (answerer: RequestAnswerer | undefined) => void
  /** Unmaps and closes; the kernel takes the connection's requests back. Idempotent. */
  readonly close: () => void
}

const header = { ...structs.uringReqHeader }
const entInOut = { ...structs.uringEntInOut }

/** Offset of the first argument struct in an entry's header. */
export const argsOffset = header.opIn
/** Offset of the number of the payload's bytes. */
export const payloadSizeOffset = header.ringEntInOut + entInOut.payloadSz

/** The kernel's smallest payload (FUSE_MIN_READ_BUFFER). */
const smallestPayload = 8192
const pageSize = 4096

/** Bytes of a payload that the kernel accepts for what INIT agreed on (`fs/fuse/dev_uring.c`, fuse_uring_create). */
export const payloadFor = ({ maxPages, maxWrite }: { readonly maxWrite: number; readonly maxPages: number }): number =>
  Math.max(smallestPayload, maxWrite, maxPages * pageSize)

/** Bytes, rounded up to whole pages. */
export const wholePages = (bytes: number): number => Math.ceil(bytes / pageSize) * pageSize
