/**
 * Random and mutated frames: every one must give a value, a request or a `DecodeError`.
 */
import { readdirSync, readFileSync } from "node:fs"
import { decodeNotification, decodeReply, decodeRequest, frameOf, isDecodeError } from "@bickford/protocol/codec"
import type { Request } from "@bickford/protocol"

/** Small and repeatable: a linear congruential generator of 32 bits, of which the high ones are used. */
const generator = (seed: number) => {
  let state = seed >>> 0
  return (below: number): number => {
    state = (Math.imul(state, 1664525) + 1013904223) >>> 0
    return Math.floor((state / 4294967296) * below)
  }
}

interface Recorded {
  readonly request: Uint8Array
  readonly reply: Uint8Array | undefined
  readonly version: { readonly minor: number; readonly setxattrExt: boolean }
}

const golden = new URL("../golden/", import.meta.url)
const hex = (text: string) => new Uint8Array(Buffer.from(text, "hex"))
const read = (path: string) => JSON.parse(readFileSync(new URL(path, golden), "utf8")) as Record<string, unknown>

const recorded: ReadonlyArray<Recorded> = readdirSync(new URL("frames/", golden))
  .filter((file) => /^\d/.test(file))
  .map((file) => {
    const frame = read(`frames/${file}`) as {
      readonly request_hex: string
      readonly reply_hex: string | null
      readonly negotiated: { readonly setxattr_ext: boolean }
    }
    return {
      request: hex(frame.request_hex),
      reply: frame.reply_hex === null ? undefined : hex(frame.reply_hex),
      version: { minor: 45, setxattrExt: frame.negotiated.setxattr_ext }
    }
  })
const notices = readdirSync(new URL("notifications/", golden))
  .filter((file) => /^\d/.test(file))
  .map((file) => {
    const { message_hex } = read(`notifications/${file}`) as { readonly message_hex: string }
    return hex(message_hex)
  })

const writeLength = (bytes: Uint8Array, length: number): void => {
  if (bytes.length >= 4) new DataView(bytes.buffer, bytes.byteOffset).setUint32(0, length, true)
}

/** A copy of at most 4 KiB, changed in one to four ways; mostly with its length set right, so that the rest is looked at. */
const mutated = (original: Uint8Array, random: (below: number) => number): Uint8Array => {
  let bytes = original.slice(0, 4096)
  for (let times = 1 + random(4); times > 0 && bytes.length > 0; times--) {
    const at = random(bytes.length)
    switch (random(6)) {
      case 0:
        bytes[at] = (bytes[at] ?? 0) ^ (1 << random(8))
        break
      case 1:
        bytes[at] = random(256)
        break
      case 2:
        bytes = bytes.slice(0, at)
        break
      case 3: {
        const longer = new Uint8Array(bytes.length + 1 + random(32))
        longer.set(bytes)
        bytes = longer
        break
      }
      case 4:
        // A number at its extremes: counts and sizes lie here.
        if (at + 4 <= bytes.length)
          new DataView(bytes.buffer).setUint32(at & ~3, [0, 1, 0x7fffffff, 0xffffffff][random(4)] ?? 0, true)
        break
      default:
        if (bytes.length > 38) bytes[36] = random(32)
    }
  }
  if (random(8) !== 0) writeLength(bytes, bytes.length)
  return bytes
}

const noise = (random: (below: number) => number): Uint8Array => {
  const bytes = new Uint8Array(random(300))
  for (let at = 0; at < bytes.length; at++) bytes[at] = random(256)
  if (random(4) !== 0) writeLength(bytes, bytes.length)
  if (bytes.length > 8 && random(4) !== 0) new DataView(bytes.buffer).setUint32(4, random(60), true)
  return bytes
}

export interface Tally {
  readonly frames: number
  readonly decoded: number
  readonly malformed: number
}

/** Throws on the first frame that does not give a value, with its bytes. */
export const fuzz = (count: number, seed: number): Tally => {
  const random = generator(seed)
  let decoded = 0
  let malformed = 0
  const tally = (value: unknown): void => {
    if (isDecodeError(value)) {
      if (value.field === "" || value.message === "" || !Number.isInteger(value.offset))
        throw new Error(`says nothing: ${JSON.stringify(value)}`)
      malformed++
    } else decoded++
  }
  const requests: Array<{ readonly request: Request; readonly reply: Uint8Array }> = []
  for (const { reply, request: bytes, version } of recorded) {
    const request = decodeRequest(frameOf(bytes), version)
    if (!isDecodeError(request) && reply !== undefined) requests.push({ request, reply })
    // Cut at every byte, as it is and with its length put right.
    for (let length = 0; length < Math.min(bytes.length, 300); length++) {
      const cut = bytes.slice(0, length)
      if (!isDecodeError(decodeRequest(frameOf(cut), version)))
        throw new Error(`a frame cut to ${length} bytes was taken`)
      writeLength(cut, length)
      tally(decodeRequest(frameOf(cut), version))
    }
  }
  let frame: Uint8Array = new Uint8Array()
  try {
    for (let made = 0; made < count; made++) {
      const kind = random(8)
      const source = recorded[random(recorded.length)]
      const answered = requests[random(requests.length)]
      const notice = notices[random(notices.length)]
      if (source === undefined || answered === undefined || notice === undefined) break
      if (kind === 0) {
        frame = noise(random)
        tally(decodeRequest(frameOf(frame), source.version))
      } else if (kind === 1) {
        frame = mutated(notice, random)
        tally(decodeNotification(frame))
      } else if (kind < 4) {
        frame = mutated(answered.reply, random)
        tally(decodeReply(frame, answered.request))
      } else if (kind === 4) {
        // The parts apart, as on a ring.
        const whole = mutated(source.request, random)
        frame = new Uint8Array(Math.max(256, whole.length + 256))
        frame.set(whole.subarray(0, 40))
        frame.set(whole.subarray(40, 128), 128)
        const { bytes, view } = frameOf(frame)
        tally(
          decodeRequest(
            { bytes, view, header: 0, args: 128, payload: 256, end: 256 + random(frame.length - 255) },
            source.version
          )
        )
      } else {
        frame = mutated(source.request, random)
        tally(decodeRequest(frameOf(frame), source.version))
      }
    }
  } catch (thrown) {
    throw new Error(`seed ${seed}: ${Buffer.from(frame).toString("hex")}`, { cause: thrown })
  }
  return { frames: count, decoded, malformed }
}
