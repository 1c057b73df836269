/** The entries of a ring as a kernel keeps them: which are free, which request is in which, what was committed. */
import type { Version } from "@bickford/protocol"
import { errnoNumbers, opcodes } from "@bickford/protocol"
import { frameOf, getU64, hasFlag, opcodeOf, opcodeTable, structs } from "@bickford/protocol/codec"

const { inHeader, initOut, outHeader, uringEntInOut, uringReqHeader } = structs

/** Words of a ring's control before its lists. */
export const controlWords = { commits: 0, ready: 1, entering: 2, lists: 3 } as const
/** Bytes from one header to the next. */
export const headerStride = 320
const pageSize = 4096
const { EIO } = errnoNumbers

/** Requests that a kernel delivers by the device. */
const byDevice: ReadonlySet<number> = new Set([
  opcodes.FUSE_FORGET,
  opcodes.FUSE_INIT,
  opcodes.FUSE_INTERRUPT,
  opcodes.FUSE_BATCH_FORGET
])
/** All of it lies in the payload, and it has no reply. */
const notifyReply = opcodes.FUSE_NOTIFY_REPLY

const wholePages = (bytes: number): number => Math.ceil(bytes / pageSize) * pageSize

/** What a kernel keeps of a queue, here of all queues together. */
export class RingEntries {
  readonly control: Int32Array
  /** Undefined until it is registered. */
  memory: { readonly bytes: Uint8Array; readonly view: DataView } | undefined
  delivered = 0
  readonly count: number
  readonly #free: Array<number>
  readonly #silent = new Set<number>()
  readonly #waiting: Array<Uint8Array> = []
  #payloads = 0
  #room = 0
  #version: Version | undefined

  constructor(count: number) {
    this.count = count
    this.control = new Int32Array(controlWords.lists + 2 * count)
    this.#free = Array.from({ length: count }, (_, entry) => entry)
  }

  allocate(payload: number): ArrayBuffer {
    this.#room = wholePages(payload)
    this.#payloads = wholePages(this.count * headerStride)
    const memory = new ArrayBuffer(this.#payloads + this.count * this.#room)
    this.memory = { bytes: new Uint8Array(memory), view: new DataView(memory) }
    return memory
  }

  /** INIT's answer says how long a SETXATTR's struct is. */
  agree(frame: Uint8Array): void {
    const view = new DataView(frame.buffer, frame.byteOffset, frame.byteLength)
    if (frame.length < outHeader.bytes + initOut.flags + 4) return
    const flags = view.getUint32(outHeader.bytes + initOut.flags, true)
    this.#version = {
      minor: view.getUint32(outHeader.bytes + initOut.minor, true),
      setxattrExt: hasFlag({ flags, flags2: 0 }, "FUSE_SETXATTR_EXT")
    }
  }

  /** Bytes of a request's first struct; undefined for what no kernel sends by a ring. */
  argsSize(frame: Uint8Array): number | undefined {
    if (this.memory === undefined || frame.length < inHeader.bytes) return undefined
    const opcode = opcodeOf(frameOf(frame))
    if (byDevice.has(opcode)) return undefined
    if (opcode === notifyReply) return 0
    const row = opcodeTable[opcode]
    // No kernel sends what it does not know. Here it tells that all before it was taken, FORGETs for one.
    if (row === undefined) return undefined
    const size = row.argsSizeOf?.(this.#version) ?? row.argsSize
    return inHeader.bytes + size > frame.length ? undefined : size
  }

  add(frame: Uint8Array): void {
    this.#waiting.push(frame)
  }

  /** Puts requests that wait into entries that are free. */
  fill(): void {
    while (this.#waiting.length > 0 && this.#free.length > 0) {
      const frame = this.#waiting.shift()
      const entry = this.#free.shift()
      if (frame !== undefined && entry !== undefined) this.#deliver(frame, entry)
    }
  }

  #deliver(frame: Uint8Array, entry: number): void {
    const { control, memory } = this
    const args = this.argsSize(frame)
    if (memory === undefined || args === undefined) return
    this.delivered++
    if (opcodeOf(frameOf(frame)) === notifyReply) this.#silent.add(entry)
    const header = entry * headerStride
    const rest = frame.subarray(inHeader.bytes + args)
    memory.bytes.set(frame.subarray(0, inHeader.bytes), header)
    memory.bytes.set(frame.subarray(inHeader.bytes, inHeader.bytes + args), header + uringReqHeader.opIn)
    memory.bytes.set(rest, this.#payloads + entry * this.#room)
    const own = header + uringReqHeader.ringEntInOut
    memory.view.setUint32(own + uringEntInOut.payloadSz, rest.length, true)
    memory.bytes.copyWithin(own + uringEntInOut.commitId, header + inHeader.unique, header + inHeader.unique + 8)
    const ready = control[controlWords.ready] ?? 0
    control[controlWords.lists + this.count + ready] = entry
    control[controlWords.ready] = ready + 1
  }

  /** Takes what was committed, as reply frames. */
  takeReplies(): ReadonlyArray<Uint8Array> {
    const { control, memory } = this
    const commits = control[controlWords.commits] ?? 0
    control[controlWords.commits] = 0
    if (memory === undefined) return []
    const committed = Array.from(control.subarray(controlWords.lists, controlWords.lists + commits))
    return committed.flatMap((entry) => {
      if (this.#silent.delete(entry)) {
        this.#free.push(entry)
        return []
      }
      const header = entry * headerStride
      const own = header + uringReqHeader.ringEntInOut
      const size = memory.view.getUint32(own + uringEntInOut.payloadSz, true)
      const at = this.#payloads + entry * this.#room
      this.#free.push(entry)
      const frame = Buffer.concat([
        memory.bytes.subarray(header, header + outHeader.bytes),
        memory.bytes.subarray(at, at + size)
      ])
      // As the kernel does, which reads the header of another request's reply as an error.
      const right =
        frame.readUInt32LE(outHeader.len) === frame.length &&
        getU64(memory.view, header + outHeader.unique) === getU64(memory.view, own + uringEntInOut.commitId)
      if (!right) frame.writeInt32LE(-EIO, outHeader.error)
      return [frame]
    })
  }
}
