/** How a reply's body is written and read back. Writers distrust the backend: what would harm the kernel is refused. */
import type { Cursor } from "../cursor.ts"
import type { Memory } from "../frame.ts"
import type { Negotiated } from "../init.ts"
import type { DataPart, Request, U64 } from "../messages.ts"
import { refuse } from "../refusal.ts"

/** Takes the node id of every entry for which the kernel counts a lookup. */
export type CountLookup = (nodeid: U64) => void

export interface ReplyCodec<R extends Request, V> {
  /** Bytes always written: the body has at least this much. */
  readonly size: number
  /** Writes the body at `at`, where a word begins, within `room` bytes; returns its length. */
  write(
    value: V,
    request: R,
    memory: Memory,
    at: number,
    room: number,
    count: CountLookup,
    negotiated: Negotiated | undefined
  ): number
  /** The body as views of the backend's own memory, when it is one that can be sent as it is. */
  views?(value: V, request: R): ReadonlyArray<Uint8Array> | undefined
  /** The body's pieces, when some of them lie in files. */
  parts?(value: unknown, request: R): ReadonlyArray<DataPart> | undefined
  read(cursor: Cursor, request: R): V
}

/** Refuses a body that is longer than the memory for it. */
export const checkRoom = (length: number, room: number): void => {
  if (length > room) refuse("EIO", `the reply has ${length} bytes, ${room} fit`)
}

/** Header only. */
export const nothing: ReplyCodec<Request, void> = {
  size: 0,
  write: () => 0,
  read: () => undefined
}

/** A reply that is one struct. */
export const oneStruct = <V>(
  size: number,
  put: (view: DataView, at: number, value: V) => void,
  get: (view: DataView, at: number) => V
): ReplyCodec<Request, V> => ({
  size,
  write: (value, _request, { view }, at) => {
    put(view, at, value)
    return size
  },
  read: (cursor) => get(cursor.view, cursor.take(size, "body"))
})
