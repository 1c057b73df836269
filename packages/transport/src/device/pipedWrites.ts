/** The WRITEs of a device whose data is in pipes: the pipes that there are for it, and what has the data. */
import { constants } from "node:os"
import { inHeaderSize, writeInSize } from "../headers.ts"
import type { Channel } from "./channel.ts"
import type { DeviceSlot } from "./DeviceSlot.ts"
import { PipedData } from "./PipedData.ts"
import { makePipePool, pageSize, type PipePool } from "./pipes.ts"

const { EINVAL, EIO } = constants.errno

/** For less data the calls for a pipe are not worth while. */
const worthPiping = 32 * 1024
/** Data in pipes at once. A pipe takes a descriptor for each end; what more comes is read into memory. */
const mostPipes = 4
/** Pieces in a pipe besides those of whole pages: the headers', and one more where the data begins within a page. */
const otherPieces = 2

const head = inHeaderSize + writeInSize

/** Bytes of a frame whose data is worth a pipe. */
export const leastPipedFrame = head + worthPiping

interface Held {
  readonly data: PipedData
  readonly pool: PipePool
}

const giveBack = ({ data, pool }: Held): void => {
  const { left, pipe } = data.letGo()
  if (pipe !== undefined) pool.give(pipe, left)
}

export class PipedWrites {
  readonly #bytes: number
  readonly #held = new Map<Uint8Array, Held>()
  #pool: PipePool | undefined

  /** For frames of up to `frameCapacity` bytes. */
  constructor(frameCapacity: number) {
    this.#bytes = frameCapacity + otherPieces * pageSize
  }

  /** WRITEs whose data is, or was, in a pipe, and whose slots are held. */
  get size(): number {
    return this.#held.size
  }

  start(): void {
    this.#pool ??= makePipePool(this.#bytes, mostPipes)
  }

  /** What is still in pipes is read to where it is to lie. */
  stop(): void {
    this.#pool?.close()
    this.#pool = undefined
    for (const held of this.#held.values()) {
      held.data.read()
      giveBack(held)
    }
  }

  /** Reads a frame into a slot by way of a pipe, as `channel.read`; undefined when there is no pipe for it. */
  read(channel: Channel, slot: DeviceSlot, length: number): number | undefined {
    const pool = this.#pool
    const pipe = pool?.take()
    if (pool === undefined || pipe === undefined) return undefined
    const count = channel.readByPipe(slot.memory, 0, length, pipe.read, pipe.write, worthPiping)
    if (count > 0 && channel.isApart()) {
      const data = new PipedData(pipe, slot.bytes.subarray(head, count))
      slot.apart = data.memory
      this.#held.set(data.memory, { data, pool })
      return count
    }
    // What may be left of a frame that could not be read out goes with its pipe.
    pool.give(pipe, count === -EIO ? 1 : 0)
    if (count === -EINVAL) return undefined
    return count
  }

  /** What has the data that `memory` is for. */
  dataOf(memory: Uint8Array): PipedData | undefined {
    return this.#held.get(memory)?.data
  }

  /** The slot that `memory` is of is given back. */
  end(memory: Uint8Array): void {
    const held = this.#held.get(memory)
    if (held === undefined) return
    this.#held.delete(memory)
    giveBack(held)
    held.data.end()
  }
}
