/** Pipes that frames and replies are spliced through. */
import { constants } from "node:os"
import { addon, type FuseHandle } from "../native.ts"

const { EPERM } = constants.errno

/** The smallest page there is; a pipe's pieces hold one each. */
export const pageSize = 4096
/** What every process may have (`/proc/sys/fs/pipe-max-size`), in bytes; more needs CAP_SYS_RESOURCE. */
const allowedRoom = 1 << 20

/** An open pipe. */
export interface Pipe {
  readonly read: FuseHandle
  readonly write: FuseHandle
  /** Pieces of up to a page that it holds. */
  readonly slots: number
}

/** Closes both ends; what is in it goes with it. */
export const closePipe = ({ read, write }: Pipe): void => {
  addon.close(read)
  addon.close(write)
}

/**
 * A pipe with room for `bytes`, or as much as this process may have. Undefined where there are no descriptors, or no room for
 * this user (`/proc/sys/fs/pipe-user-pages-soft`).
 */
export const openPipe = (bytes: number): Pipe | undefined => {
  const pair = addon.pipe_pair()
  if (typeof pair === "number") return undefined
  const [read, write] = pair
  let slots = addon.pipe_slots(write, bytes)
  if (slots === -EPERM) slots = addon.pipe_slots(write, allowedRoom)
  const pipe = { read, write, slots }
  if (slots > 0) return pipe
  closePipe(pipe)
  return undefined
}

/** A few pipes, each opened when it is first needed. */
export interface PipePool {
  /** An empty pipe; undefined when all are in use, or none can be had. */
  readonly take: () => Pipe | undefined
  /** Takes a pipe back. One in which bytes are left is closed. */
  readonly give: (pipe: Pipe, left: number) => void
  /** Closes all of them; those in use when they are given back. */
  readonly close: () => void
}

/** Up to `most` pipes with room for `bytes`. Where one cannot have so much, none is given. */
export const makePipePool = (bytes: number, most: number): PipePool => {
  const free: Array<Pipe> = []
  let open = 0
  let closed = false

  const drop = (pipe: Pipe): void => {
    open--
    closePipe(pipe)
  }

  const make = (): Pipe | undefined => {
    if (closed || open === most) return undefined
    const pipe = openPipe(bytes)
    if (pipe === undefined) return undefined
    open++
    if (pipe.slots * pageSize >= bytes) return pipe
    drop(pipe)
    // It would be the same with the next one.
    closed = true
    return undefined
  }

  return {
    take: () => free.pop() ?? make(),
    give: (pipe, left) => {
      if (left === 0 && !closed) free.push(pipe)
      else drop(pipe)
    },
    close: () => {
      closed = true
      for (const pipe of free.splice(0)) drop(pipe)
    }
  }
}
