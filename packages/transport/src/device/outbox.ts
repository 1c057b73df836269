/**
 * Writing to a pipe or socket, which can be full, as `/dev/fuse` never is: what does not go out at once
 * waits here, in order, until it does.
 */
import { constants } from "node:os"
import { addon, type FuseHandle } from "../native.ts"

const { EAGAIN, ENOBUFS } = constants.errno

/** A peer that has not read this much does not read at all. */
const limit = 64 << 20

export interface Outbox {
  /** Writes one frame, now or later. Returns 0 or a negative errno: -ENOBUFS when too much waits already. */
  readonly write: (parts: ReadonlyArray<Uint8Array>) => number
  /** Writes as much as goes out now. */
  readonly flush: () => void
}

const joined = (parts: ReadonlyArray<Uint8Array>): Uint8Array => {
  const whole = new Uint8Array(parts.reduce((total, part) => total + part.length, 0))
  let at = 0
  for (const part of parts) {
    whole.set(part, at)
    at += part.length
  }
  return whole
}

/** `boundaries`: the socket keeps messages apart, so a frame goes out whole or not at all. */
export const makeOutbox = (handle: FuseHandle, boundaries: boolean): Outbox => {
  let waiting: Array<Uint8Array> = []
  let waitingBytes = 0
  let armed = false

  const send = (frame: Uint8Array): number =>
    boundaries ? addon.write_frame(handle, frame) : addon.write_some(handle, frame)

  const flush = (): void => {
    let sent = 0
    for (const frame of waiting) {
      const count = send(frame)
      if (count === -EAGAIN) break
      if (count < 0) {
        // Nobody reads any more; the read loop is told so too.
        waiting = []
        waitingBytes = 0
        return
      }
      waitingBytes -= count
      if (count < frame.length) {
        waiting[sent] = frame.subarray(count)
        break
      }
      sent++
    }
    waiting.splice(0, sent)
    arm()
  }

  const arm = (): void => {
    if (armed || waiting.length === 0) return
    armed =
      addon.select_write(handle, (status) => {
        armed = false
        if (status === 0) flush()
      }) === 0
  }

  const write = (parts: ReadonlyArray<Uint8Array>): number => {
    const frame = joined(parts)
    let count = 0
    if (waiting.length === 0) {
      count = send(frame)
      if (count === frame.length) return 0
      if (count === -EAGAIN) count = 0
      if (count < 0) return count
    } else if (waitingBytes + frame.length > limit) {
      return -ENOBUFS
    }
    waiting.push(frame.subarray(count))
    waitingBytes += frame.length - count
    arm()
    return 0
  }

  return { write, flush }
}
