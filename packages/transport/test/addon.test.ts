/** The addon itself: wrong types, closed handles, frames. */
import { assert, describe, it } from "@effect/vitest"
import { closeSync, openSync } from "node:fs"
import { type Channel, makeChannel } from "../src/device/channel.ts"
import { allocateMemory, discardMemory } from "../src/memory.ts"
import { addon, type FuseHandle } from "../src/native.ts"

const EBADF = 9
const EAGAIN = 11
const EFAULT = 14
const EINVAL = 22

const channelOf = (handle: FuseHandle): Channel => {
  const channel = makeChannel(handle, handle)
  if (typeof channel === "number") throw new Error(`channel: ${channel}`)
  return channel
}

const slotMemory = (bytes: number): { readonly memory: ArrayBuffer; readonly number: number } => {
  const memory = addon.slot_memory(bytes)
  if (typeof memory === "number") throw new Error(`slot_memory: ${memory}`)
  return memory
}

const pipe = (): [FuseHandle, FuseHandle] => {
  const pair = addon.pipe_pair()
  if (typeof pair === "number") throw new Error(`pipe_pair: ${pair}`)
  return pair
}

const socketpair = (type?: "stream" | "seqpacket"): [FuseHandle, FuseHandle] => {
  const pair = addon.socketpair(type)
  if (typeof pair === "number") throw new Error(`socketpair: ${pair}`)
  return pair
}

/** Calls an export with arguments that its type does not allow, as JavaScript can. */
const call = (name: string, args: ReadonlyArray<unknown>): unknown => {
  const exported: unknown = Reflect.get(addon, name)
  if (typeof exported !== "function") throw new Error(`no ${name}`)
  return Reflect.apply(exported, addon, [...args])
}

const wrong: ReadonlyArray<unknown> = [
  undefined,
  null,
  true,
  1,
  -1,
  1.5,
  Number.NaN,
  "text",
  5n,
  Symbol.iterator,
  {},
  [],
  () => {},
  new Uint8Array(4),
  new Date()
]

describe("wrong arguments", () => {
  const [handle] = pipe()
  const bytes = new Uint8Array(8)
  const right: { readonly [name: string]: ReadonlyArray<unknown> } = {
    socketpair: ["stream"],
    from_fd: [0],
    close: [handle],
    fd: [handle],
    kind: [handle],
    select_read: [handle, () => {}, false],
    select_write: [handle, () => {}, false],
    select_stop: [handle],
    read_frame: [handle, bytes, 0, 8],
    write_frame: [handle, bytes],
    write_some: [handle, bytes, 0, 8],
    message_length: [handle],
    channel: [handle, handle],
    slot_memory: [4096],
    read_range: [0, bytes, 0, 8, 0],
    connected: [handle],
    lock_memory: [bytes],
    allocate_memory: [4096],
    discard_memory: [bytes],
    fusermount3_mount: ["/nowhere", "ro", { program: "/nonexistent" }],
    fusermount3_unmount: ["/nowhere", false, { program: "/nonexistent" }],
    mount: ["source", "/nonexistent", "fuse", 0, ""],
    unmount: ["/nonexistent", 0],
    detach_at_end: [handle, "/nonexistent", "0:0", "/nonexistent"],
    sync_init: [handle],
    notify: [handle, bytes],
    watchdog: ["/nonexistent", "0:0", "", 1000],
    resolve_path: ["/"],
    file_mode: ["/"],
    backing_open: [handle, -1],
    backing_close: [handle, 0],
    fs_attributes: [],
    fs_open_folder: ["/nonexistent"],
    fs_set_own_devices: [new Uint32Array()],
    fs_look: [-1, "name"],
    fs_find: [-1, "name"],
    fs_find_path: [-1, "a/b"],
    fs_up: [-1],
    fs_create: [-1, "name", 0, 0],
    fs_mknod: [-1, "name", 0, 0],
    fs_mkdir: [-1, "name", 0],
    fs_symlink: [-1, "name", "target"],
    fs_link: [-1, -1, "name"],
    fs_unlink: [-1, "name", 0],
    fs_rename: [-1, "name", -1, "name", 0],
    fs_readlink: [-1, bytes],
    fs_path_of: [-1, bytes],
    fs_stat: [-1],
    fs_chmod: [-1, 0],
    fs_chown: [-1, -1, -1],
    fs_utimens: [-1, 0, 0, 0, 0],
    fs_truncate: [-1, 0],
    fs_ftruncate: [-1, 0],
    fs_setxattr: [-1, "user.name", bytes, 0],
    fs_getxattr: [-1, "user.name", bytes],
    fs_listxattr: [-1, bytes],
    fs_removexattr: [-1, "user.name"],
    fs_statvfs: [-1, bytes],
    fs_open: [-1, 0, 0],
    fs_open_waiting: [-1, 0],
    fs_close: [-1],
    fs_duplicate: [-1],
    fs_write: [-1, bytes, 0, 0],
    fs_fallocate: [-1, 0, 0, 1],
    fs_seek: [-1, 0, 0],
    fs_list: [-1, -1, bytes],
    fs_sync: [-1, 0],
    fs_copy: [-1, 0, -1, 0, 1],
    fs_handle_of: [-1, bytes],
    fs_open_handle: [-1, bytes],
    fs_know_oneself: [],
    fs_become: [0, 0, -1],
    fs_be_oneself: []
  }

  for (const [name, args] of Object.entries(right)) {
    it(`${name}: a TypeError or a RangeError, or an answer; never a crash`, async () => {
      for (let i = 0; i < args.length; i++) {
        for (const value of wrong) {
          if (typeof value === typeof args[i] && typeof value !== "object") continue
          // Optional arguments may be left out, and a handle is an object only we can make.
          const given = args.map((arg, k) => (k === i ? value : arg))
          try {
            const answer = call(name, given)
            if (answer instanceof Promise) await answer
          } catch (error) {
            assert.isTrue(
              error instanceof TypeError || error instanceof RangeError,
              `${name}, argument ${i} of type ${typeof value}: ${String(error)}`
            )
          }
        }
      }
      const missing = () => call(name, [])
      if (name === "socketpair" || args.length === 0) assert.doesNotThrow(missing)
      else assert.throws(missing, TypeError)
    })
  }

  it("offsets and lengths outside the memory are RangeErrors", () => {
    for (const [offset, length] of [
      [9, 0],
      [0, 9],
      [8, 1],
      [1_000_000, 1],
      [1, 2 ** 31 - 1]
    ] as const) {
      assert.throws(() => addon.read_frame(handle, bytes, offset, length), RangeError)
      assert.throws(() => addon.write_some(handle, bytes, offset, length), RangeError)
      assert.throws(() => addon.read_range(0, bytes, offset, length, 0), RangeError)
    }
  })

  it("a handle of another kind, or a forged one, is a TypeError", () => {
    assert.throws(() => call("read_frame", [addon, bytes]), TypeError)
    assert.throws(() => call("fd", [Object.create(null)]), TypeError)
  })

  it("more parts than one write takes are a TypeError", () => {
    assert.throws(() => addon.write_frame(handle, ...Array.from({ length: 65 }, () => bytes)), TypeError)
  })
})

describe("closed handles", () => {
  it("answer EBADF to everything, also when their number is another file's by then", () => {
    const [readEnd, writeEnd] = pipe()
    const number = addon.fd(readEnd)
    assert.strictEqual(addon.close(readEnd), 0)
    const reused = openSync("/dev/zero", "r")
    try {
      assert.strictEqual(reused, number, "the kernel gives the lowest free number")
      assert.strictEqual(addon.fd(readEnd), -EBADF)
      assert.strictEqual(addon.read_frame(readEnd, new Uint8Array(8)), -EBADF)
      assert.strictEqual(addon.write_frame(readEnd, new Uint8Array(8)), -EBADF)
      assert.strictEqual(addon.write_some(readEnd, new Uint8Array(8)), -EBADF)
      assert.strictEqual(
        addon.select_read(readEnd, () => {}),
        -EBADF
      )
      assert.strictEqual(addon.select_stop(readEnd), -EBADF)
      assert.strictEqual(addon.kind(readEnd), -EBADF)
      assert.strictEqual(addon.close(readEnd), -EBADF)
    } finally {
      closeSync(reused)
      addon.close(writeEnd)
    }
  })
})

describe("frames", () => {
  it("an empty pipe gives EAGAIN, then its bytes, then its end", () => {
    const [readEnd, writeEnd] = pipe()
    const into = new Uint8Array(16)
    assert.strictEqual(addon.read_frame(readEnd, into), -EAGAIN)
    assert.strictEqual(addon.write_frame(writeEnd, Buffer.from("ab"), Buffer.from(""), Buffer.from("cd")), 4)
    assert.strictEqual(addon.read_frame(readEnd, into, 4), 4)
    assert.strictEqual(Buffer.from(into.subarray(4, 8)).toString(), "abcd")
    addon.close(writeEnd)
    assert.strictEqual(addon.read_frame(readEnd, into), 0)
    addon.close(readEnd)
  })

  it("a read shorter than a stream's content leaves the rest; one shorter than a message cuts it off", () => {
    for (const [type, rest] of [
      ["stream", 6],
      ["seqpacket", -EAGAIN]
    ] as const) {
      const [one, other] = socketpair(type)
      assert.strictEqual(addon.write_frame(one, new Uint8Array(10)), 10)
      assert.strictEqual(addon.read_frame(other, new Uint8Array(4)), 4)
      assert.strictEqual(addon.read_frame(other, new Uint8Array(16)), rest)
      addon.close(one)
      addon.close(other)
    }
  })

  it("a frame that a pipe takes only a part of is EAGAIN, and write_some says how much went", () => {
    const [readEnd, writeEnd] = pipe()
    const chunk = new Uint8Array(40_000)
    assert.strictEqual(addon.write_frame(writeEnd, chunk), chunk.length)
    assert.strictEqual(addon.write_frame(writeEnd, chunk), -EAGAIN)
    assert.strictEqual(addon.write_some(writeEnd, chunk), -EAGAIN)
    const drained = new Uint8Array(1 << 20)
    assert.isAbove(addon.read_frame(readEnd, drained), 0)
    const some = addon.write_some(writeEnd, drained)
    assert.isAbove(some, 0)
    assert.isBelow(some, drained.length)
    addon.close(readEnd)
    addon.close(writeEnd)
  })

  it("a channel reads and writes frames where they lie in its memory", () => {
    const [one, other] = socketpair("seqpacket")
    const channel = channelOf(other)
    const { memory, number } = slotMemory(2 * 4096)
    addon.write_frame(one, Buffer.from("frame"))
    assert.strictEqual(channel.read(number, 100, 50), 5)
    assert.strictEqual(Buffer.from(memory, 100, 5).toString(), "frame")
    assert.strictEqual(channel.read(number, 100, 50), -EAGAIN)
    new Uint8Array(memory).set(Buffer.from("reply"), 8187)
    assert.strictEqual(channel.write(number, 8187, 5), 5)
    const into = new Uint8Array(8)
    assert.strictEqual(addon.read_frame(one, into), 5)
    assert.strictEqual(Buffer.from(into.subarray(0, 5)).toString(), "reply")
    addon.write_frame(one, Buffer.from("next"))
    assert.strictEqual(channel.exchange(number, 8187, 5, 8180, 8), 5)
    assert.strictEqual(channel.exchanged(), 4)
    assert.strictEqual(Buffer.from(memory, 8180, 4).toString(), "next")
    assert.strictEqual(addon.read_frame(one, into), 5, "written before it was read")
    assert.strictEqual(channel.exchange(number, 8187, 5, 8180, 8), 5)
    assert.strictEqual(channel.exchanged(), -EAGAIN)
    // However often nothing came: what is there is read.
    for (let round = 0; round < 300; round++) {
      assert.strictEqual(addon.read_frame(one, into), 5)
      assert.strictEqual(channel.exchange(number, 8187, 5, 8180, 8), 5)
      assert.strictEqual(channel.exchanged(), -EAGAIN)
    }
    addon.write_frame(one, Buffer.from("late"))
    assert.strictEqual(addon.read_frame(one, into), 5)
    assert.strictEqual(channel.exchange(number, 8187, 5, 8180, 8), 5)
    assert.strictEqual(channel.exchanged(), 4)
    const tail = new Uint8Array(4096).fill(7)
    const whole = new Uint8Array(8192)
    addon.write_frame(one, Buffer.from("more"))
    assert.strictEqual(addon.read_frame(one, into), 5)
    assert.strictEqual(channel.exchangeWith(number, 8187, 5, [tail.subarray(0, 96), tail.subarray(96)], 8180, 8), 4101)
    assert.strictEqual(channel.exchanged(), 4)
    assert.strictEqual(addon.read_frame(one, whole), 4101, "the frame and its tail are one")
    assert.deepStrictEqual(whole.subarray(5, 4101), tail)
    assert.strictEqual(channel.exchangeWith(number, 8190, 5, [tail], 0, 8), -EFAULT)
    assert.throws(
      () =>
        channel.exchangeWith(
          number,
          8187,
          5,
          Array.from({ length: 64 }, () => tail),
          8180,
          8
        ),
      TypeError
    )
    assert.strictEqual(channel.exchange(number, 8190, 5, 8190, 5), -EFAULT)
    assert.strictEqual(channel.exchanged(), -EFAULT)
    for (const [offset, length] of [
      [8188, 5],
      [8193, 0],
      [0, 8193],
      [2 ** 32 - 1, 1],
      [-1, 2],
      [0, -1]
    ] as const) {
      assert.strictEqual(channel.read(number, offset, length), -EFAULT)
      assert.strictEqual(channel.write(number, offset, length), -EFAULT)
    }
    addon.close(one)
    addon.close(other)
    assert.strictEqual(channel.read(number, 0, 8), -EBADF)
    assert.strictEqual(channel.write(number, 0, 8), -EBADF)
  })

  it("memory is allocated all zero, and is zero again when it was discarded, whole pages and parts of them", () => {
    for (const size of [1, 4096, 10_000, (1 << 21) + 1]) {
      const memory = allocateMemory(size)
      if (memory === undefined) throw new Error("no memory")
      assert.strictEqual(memory.byteLength, size)
      const all = new Uint8Array(memory)
      assert.isTrue(all.every((byte) => byte === 0))
      for (const [from, to] of [
        [0, size],
        [1, size],
        [0, size - 1],
        [size >>> 2, size >>> 1]
      ] as const) {
        all.fill(7)
        discardMemory(all.subarray(from, to))
        assert.isTrue(all.every((byte, at) => byte === (at >= from && at < to ? 0 : 7)))
      }
    }
    assert.strictEqual(addon.allocate_memory(0), -EINVAL)
  })

  it("a channel reads the data of a WRITE that fills it into lent memory, and puts everything else together", () => {
    const [one, other] = socketpair("seqpacket")
    const channel = channelOf(other)
    const { memory, number } = slotMemory(4 * 4096)
    const lent = new Uint8Array(64)
    const frame = (opcode: number, size: number): Uint8Array => {
      const bytes = Uint8Array.from({ length: 80 + size }, (_, at) => at + 1)
      new DataView(bytes.buffer).setUint32(4, opcode, true)
      return bytes
    }
    const readAt = (offset: number, room: number, length: number): Uint8Array => {
      assert.strictEqual(channel.read(number, offset, room), length)
      return new Uint8Array(memory, offset, length)
    }
    const large = frame(16, 64)
    for (const [sent, apart] of [
      [large, true],
      [frame(16, 63), false],
      [frame(16, 65), false],
      [frame(21, 64), false],
      [frame(16, 4000), false],
      [frame(3, 0), false],
      [large.subarray(0, 40), false],
      [large, true]
    ] as const) {
      channel.lend(lent)
      lent.fill(0)
      addon.write_frame(one, sent)
      const got = readAt(100, 8192, sent.length)
      assert.strictEqual(channel.isApart(), apart)
      assert.deepStrictEqual(got.subarray(0, apart ? 80 : sent.length), apart ? sent.subarray(0, 80) : sent)
      if (apart) assert.deepStrictEqual(lent, sent.subarray(80))
    }
    addon.write_frame(one, large)
    assert.deepStrictEqual(readAt(0, 8192, 144), large, "what was filled is lent no more")
    assert.isFalse(channel.isApart())
    channel.lend(lent)
    addon.write_frame(one, large)
    assert.deepStrictEqual(readAt(0, 144, 144), large, "too little room for anything larger")
    channel.lend(undefined)
    addon.write_frame(one, large)
    assert.deepStrictEqual(readAt(0, 8192, 144), large)
    channel.lend(lent)
    assert.strictEqual(channel.read(number, 0, 8192), -EAGAIN)
    addon.close(one)
    assert.strictEqual(channel.read(number, 0, 8192), 0)
    addon.close(other)
  })

  it("memory of no bytes is EINVAL, and a channel has no memory by a number that none has", () => {
    assert.strictEqual(addon.slot_memory(0), -EINVAL)
    const [one, other] = socketpair("seqpacket")
    const channel = channelOf(other)
    for (const number of [-1, 2 ** 31 - 1]) {
      assert.strictEqual(channel.read(number, 0, 8), -EFAULT)
      assert.strictEqual(channel.write(number, 0, 8), -EFAULT)
    }
    addon.close(one)
    addon.close(other)
  })

  it("tells what keeps message boundaries", () => {
    const [readEnd] = pipe()
    const [stream] = socketpair()
    const [packets] = socketpair("seqpacket")
    const device = addon.from_fd(openSync("/dev/null", "r"))
    if (typeof device === "number") throw new Error(`from_fd: ${device}`)
    assert.deepStrictEqual([readEnd, stream, packets, device].map(addon.kind), [
      "stream",
      "stream",
      "seqpacket",
      "device"
    ])
  })
})
