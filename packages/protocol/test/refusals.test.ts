import { describe, expect, it } from "vitest"
import { isDecodeError } from "../src/decodeError.ts"
import { addDirent, addDirentplus, direntplusSize, direntSize } from "../src/dirents.ts"
import { frameOf, memoryOf, viewOf } from "../src/frame.ts"
import type { Entry, Request, U64 } from "../src/messages.ts"
import { encodeNotification } from "../src/notifications.ts"
import { rowOf } from "../src/opcodes.ts"
import { isReplyRefusal } from "../src/refusal.ts"
import { decodeReply, decodeRequest, encodeReply, encodeRequest, replyData } from "../src/wire.ts"

const header = { unique: 2, nodeid: 1, uid: 0, gid: 0, pid: 1 }
const lookup: Request = { op: "lookup", ...header, name: "a" }
const time = { sec: 0, nsec: 0 }
const attr = {
  ino: 5,
  size: 0,
  blocks: 0,
  atime: time,
  mtime: time,
  ctime: time,
  mode: 0o100644,
  nlink: 1,
  uid: 0,
  gid: 0,
  rdev: 0,
  blksize: 4096,
  flags: 0
}
const entry: Entry = { nodeid: 5, generation: 0, entryValid: time, attrValid: time, attr }
const reading = { fh: 0, offset: 0, size: 4096, readFlags: 0, lockOwner: 0, flags: 0 }
const read: Request = { op: "read", ...header, ...reading }
const readdir: Request = { op: "readdir", ...header, ...reading }
const readdirplus: Request = { op: "readdirplus", ...header, ...reading }
const getxattr: Request = { op: "getxattr", ...header, name: "user.a", size: 4 }

const encoded = (request: Request, value: unknown, capacity = 65536) => {
  const bytes = new Uint8Array(capacity + 64).fill(0xee)
  const counted: Array<U64> = []
  const result = encodeReply(rowOf(request), value, request, undefined, memoryOf(bytes), 32, capacity, (nodeid) =>
    counted.push(nodeid)
  )
  return { result, counted, bytes }
}
const errnoOf = (request: Request, value: unknown, capacity?: number): string => {
  const { result } = encoded(request, value, capacity)
  return isReplyRefusal(result) ? result.errno : `encoded ${result} bytes`
}

function* halfWay() {
  yield { ino: 1, off: 1, type: 8, name: "a" }
  throw new Error("half way")
}

describe("a reply that would harm the kernel is refused", () => {
  it.each<[string, Request, unknown, string]>([
    ["no file type", lookup, { ...entry, attr: { ...attr, mode: 0o644 } }, "EIO"],
    ["a type that is none", lookup, { ...entry, attr: { ...attr, mode: 0o050644 } }, "EIO"],
    ["a size over 2^63-1", lookup, { ...entry, attr: { ...attr, size: 2n ** 63n } }, "EIO"],
    ["a negative size", lookup, { ...entry, attr: { ...attr, size: -1 } }, "EIO"],
    ["an inexact size", lookup, { ...entry, attr: { ...attr, size: 2 ** 53 } }, "EIO"],
    ["a fraction", lookup, { ...entry, attr: { ...attr, ino: 1.5 } }, "EIO"],
    [
      "nanoseconds of more than a second",
      lookup,
      { ...entry, attr: { ...attr, mtime: { sec: 0, nsec: 1_000_000_000 } } },
      "EIO"
    ],
    ["negative nanoseconds", lookup, { ...entry, attrValid: { sec: 0, nsec: -1 } }, "EIO"],
    ["a negative duration", lookup, { ...entry, attrValid: { sec: -1, nsec: 0 } }, "EIO"],
    ["a negative uid", lookup, { ...entry, attr: { ...attr, uid: -1 } }, "EIO"],
    ["the root as a child", lookup, { ...entry, nodeid: 1 }, "EIO"],
    ["the root as a child, as a bigint", lookup, { ...entry, nodeid: 1n }, "EIO"],
    [
      "a new file with no node",
      { op: "mkdir", ...header, name: "a", mode: 0, umask: 0 },
      { ...entry, nodeid: 0 },
      "EIO"
    ],
    ["nothing at all", lookup, undefined, "EIO"],
    ["an entry without attributes", lookup, { nodeid: 5 }, "EIO"],
    ["more than was asked for", read, new Uint8Array(4097), "EIO"],
    ["more than was asked for, in parts", read, [new Uint8Array(4000), new Uint8Array(97)], "EIO"],
    ["text for bytes", read, "text", "EIO"],
    ["a list of text", read, ["text"], "EIO"],
    [
      "more written than asked",
      { op: "write", ...header, ...reading, size: 3, writeFlags: 0, data: new Uint8Array(3) },
      4,
      "EIO"
    ],
    ["an attribute longer than asked", getxattr, new Uint8Array(5), "ERANGE"],
    ["a size larger than asked", getxattr, { size: 5 }, "ERANGE"],
    ["a size where bytes were asked for", getxattr, { size: 3 }, "EIO"],
    ["a lone surrogate", { op: "readlink", ...header }, "a\ud800", "EILSEQ"],
    ["an empty target", { op: "readlink", ...header }, "", "EIO"],
    ["a target with a NUL", { op: "readlink", ...header }, "a\0b", "EIO"],
    ["a target too long", { op: "readlink", ...header }, "a".repeat(4096), "ENAMETOOLONG"],
    ["a name with a slash", readdir, [{ ino: 1, off: 1, type: 8, name: "a/b" }], "EIO"],
    ["a name with a NUL", readdir, [{ ino: 1, off: 1, type: 8, name: new Uint8Array([97, 0]) }], "EIO"],
    ["an empty name", readdir, [{ ino: 1, off: 1, type: 8, name: "" }], "EIO"],
    ["a name too long", readdir, [{ ino: 1, off: 1, type: 8, name: "a".repeat(1025) }], "ENAMETOOLONG"],
    ["a name with a lone surrogate", readdir, [{ ino: 1, off: 1, type: 8, name: "\udc00" }], "EILSEQ"],
    ["a type that is no DT_*", readdir, [{ ino: 1, off: 1, type: 16, name: "a" }], "EIO"],
    ["what cannot be iterated", readdir, 5, "EIO"],
    [
      "the root in a listing",
      readdirplus,
      [{ ino: 1, off: 1, type: 4, name: "a", entry: { ...entry, nodeid: 1 } }],
      "EIO"
    ],
    [
      "passthrough without a backing file",
      { op: "open", ...header, flags: 0, openFlags: 0 },
      { fh: 1, openFlags: 128 },
      "EIO"
    ],
    [
      "more copied than asked",
      {
        op: "copyFileRange",
        ...header,
        wide: false,
        fhIn: 0,
        offIn: 0,
        nodeidOut: 2,
        fhOut: 0,
        offOut: 0,
        len: 10,
        flags: 0
      },
      11,
      "EIO"
    ],
    ["an offset over 2^63-1", { op: "lseek", ...header, fh: 0, offset: 0, whence: 3 }, 2n ** 63n, "EIO"],
    [
      "a retry of a restricted ioctl",
      {
        op: "ioctl",
        ...header,
        fh: 0,
        flags: 0,
        cmd: 0,
        arg: 0,
        inSize: 0,
        outSize: 0,
        data: new Uint8Array()
      },
      { retry: { inIovs: [], outIovs: [] } },
      "EIO"
    ],
    ["an answer to what takes none", { op: "forget", ...header, nlookup: 1 }, undefined, "EIO"]
  ])("%s", (_, request, value, errno) => {
    expect(errnoOf(request, value)).toBe(errno)
  })

  it("so is a value whose own code throws", () => {
    const trap = {
      ...entry,
      get nodeid(): number {
        throw new Error("a trap")
      }
    }
    const { result } = encoded(lookup, trap)
    expect(result).toMatchObject({ _tag: "ReplyRefusal", errno: "EIO", reason: "a trap" })
    expect(encoded(readdir, halfWay()).result).toMatchObject({ errno: "EIO", reason: "half way" })
  })

  it("is read once: what was checked, counted and sent is one, whatever an answer's own code says the next time", () => {
    const open = { fh: 1, openFlags: 1 << 7, backingId: 3 }
    const opening = { flags: 2, openFlags: 0 }
    const naming = { name: "a", mode: 0o100644, umask: 0 }
    const mkdir: Request = { op: "mkdir", ...header, ...naming }
    const create: Request = { op: "create", ...header, ...naming, ...opening }
    const openRequest: Request = { op: "open", ...header, ...opening }
    const getattr: Request = { op: "getattr", ...header, getattrFlags: 0, fh: 0 }
    const answers: ReadonlyArray<readonly [Request, object]> = [
      [lookup, entry],
      [mkdir, entry],
      [create, { entry, open }],
      [openRequest, open],
      [getattr, { attrValid: entry.attrValid, attr }]
    ]
    for (const [request, value] of answers) {
      const asked = new Map<string, number>()
      const watched = (of: object, path: string): object =>
        new Proxy(of, {
          get: (target, key) => {
            const at = `${path}.${String(key)}`
            const given: unknown = Reflect.get(target, key)
            if (typeof given === "object" && given !== null) return watched(given, at)
            asked.set(at, (asked.get(at) ?? 0) + 1)
            return given
          }
        })
      expect(encoded(request, watched(value, request.op)).result).toBeTypeOf("number")
      expect(Array.from(asked).filter(([, times]) => times > 1)).toEqual([])
    }
  })

  it("so is one with no room, and nothing is written past the room", () => {
    const { bytes, result } = encoded(lookup, entry, 127)
    expect(isReplyRefusal(result)).toBe(true)
    expect(bytes.subarray(32 + 127).every((byte) => byte === 0xee)).toBe(true)
  })
})

it("the root and its parent can be looked up by their dots (NFS export)", () => {
  const { counted, result } = encoded({ ...lookup, name: ".." }, { ...entry, nodeid: 1 })
  expect(result).toBe(128)
  expect(counted).toEqual([1])
})

it("a name that is not there is cached, and counts no lookup", () => {
  const { counted, result } = encoded(lookup, { ...entry, nodeid: 0, attr: { ...attr, mode: 0 } })
  expect(result).toBe(128)
  expect(counted).toEqual([])
})

it("data is handed on as it is, and copied only where it must be", () => {
  const parts = [new Uint8Array([1, 2]), new Uint8Array([3])]
  expect(replyData(rowOf(read), parts, read)).toBe(parts)
  expect(replyData(rowOf(read), parts[0], read)).toEqual([parts[0]])
  expect(replyData(rowOf(read), new Uint8Array(4097), read)).toBeUndefined()
  expect(replyData(rowOf(getxattr), new Uint8Array(5), getxattr)).toBeUndefined()
  expect(replyData(rowOf(getxattr), null, getxattr)).toBeUndefined()
  const { bytes, result } = encoded(read, parts)
  expect(result).toBe(3)
  expect([...bytes.subarray(32, 35)]).toEqual([1, 2, 3])
})

describe("listings", () => {
  const dirents = Array.from({ length: 100 }, (_, index) => ({
    ino: index + 10,
    off: index + 1,
    type: 8,
    name: `file-${index}`
  }))
  const plus = [
    { ino: 1, off: 1, type: 4, name: ".", entry: { ...entry, nodeid: 1 } },
    { ino: 1, off: 2, type: 4, name: "..", entry: undefined },
    ...dirents.map((dirent) => ({ ...dirent, entry: { ...entry, nodeid: dirent.ino } }))
  ]

  it("stop at the first entry that does not fit", () => {
    const request: Request = { ...readdir, size: 200 }
    const { result } = encoded(request, dirents)
    expect(result).toBe(6 * direntSize(6))
  })

  it("count a lookup for each entry packed, but not for dots and those without a node", () => {
    const request: Request = { ...readdirplus, size: 1000 }
    const { counted, result } = encoded(request, plus)
    expect(result).toBe(2 * direntplusSize(1) + 4 * direntplusSize(6))
    expect(counted).toEqual([10, 11, 12, 13])
  })

  it("stop taking from the backend's iterator once full", () => {
    let taken = 0
    let closed = false
    const source = function* () {
      try {
        for (const dirent of dirents) {
          taken++
          yield dirent
        }
      } finally {
        closed = true
      }
    }
    encoded({ ...readdir, size: 64 }, source())
    expect([taken, closed]).toEqual([3, true])
  })

  it("are refused when not even the first entry fits", () => {
    expect(errnoOf({ ...readdir, size: 31 }, dirents)).toBe("EINVAL")
    expect(errnoOf({ ...readdir, size: 31 }, [])).toBe("encoded 0 bytes")
  })

  it("read each field of an entry once: what is written is what was checked", () => {
    const reads: Array<string | symbol> = []
    const counting = <A extends object>(of: A): A =>
      new Proxy(of, {
        get: (target, field) => {
          reads.push(field)
          return Reflect.get(target, field)
        }
      })
    const memory = memoryOf(new Uint8Array(400))
    const dirent = { ino: 5, off: 1, type: 8, name: "ž" }
    addDirent(memory, 0, 400, counting(dirent))
    expect(reads.toSorted()).toEqual(["ino", "name", "off", "type"])
    reads.length = 0
    addDirentplus(memory, 0, 400, counting({ ...dirent, entry }), () => {})
    expect(reads.toSorted()).toEqual(["entry", "ino", "name", "off", "type"])
  })

  it("a packer says the space an entry needs, and writes only if it is there", () => {
    const bytes = new Uint8Array(400).fill(0xee)
    const memory = memoryOf(bytes)
    const dirent = { ino: 2n ** 64n - 1n, off: 2n ** 63n + 1n, type: 8, name: "ž" }
    expect(addDirent(memory, 0, 31, dirent)).toBe(32)
    expect(bytes.every((byte) => byte === 0xee)).toBe(true)
    expect(addDirent(memory, 0, 32, dirent)).toBe(32)
    expect([...bytes.subarray(26, 34)]).toEqual([0, 0, 0, 0, 0, 0, 0xee, 0xee])
    const counted: Array<U64> = []
    expect(addDirentplus(memory, 40, 199, { ...dirent, entry }, (nodeid) => counted.push(nodeid))).toBe(160)
    expect(counted).toEqual([])
    expect(addDirentplus(memory, 40, 200, { ...dirent, entry }, (nodeid) => counted.push(nodeid))).toBe(160)
    expect(counted).toEqual([5])
  })
})

const frameFor = (request: Request) => {
  const frame = encodeRequest(request)
  if (!(frame instanceof Uint8Array)) throw new Error(frame.message)
  return frame
}
const problem = (bytes: Uint8Array) => {
  const value = decodeRequest(frameOf(bytes))
  if (!isDecodeError(value)) throw new Error("decoded")
  const { field, length, offset, opcode, unique } = value
  return { field, offset, length, opcode, unique }
}
const relength = (bytes: Uint8Array) => {
  viewOf(bytes).setUint32(0, bytes.length, true)
  return bytes
}

describe("malformed requests say what is wrong and where", () => {
  it("a header cut short", () => {
    expect(problem(frameFor(lookup).subarray(0, 39))).toEqual({
      field: "header",
      offset: 0,
      length: 39,
      opcode: 1,
      unique: 2
    })
    expect(problem(new Uint8Array(3))).toEqual({
      field: "header",
      offset: 0,
      length: 3,
      opcode: undefined,
      unique: undefined
    })
  })
  it("a struct cut short", () => {
    expect(problem(relength(frameFor(read).slice(0, 79)))).toEqual({
      field: "args",
      offset: 40,
      length: 79,
      opcode: 15,
      unique: 2
    })
  })
  it("bytes after the end", () => {
    expect(problem(relength(new Uint8Array([...frameFor(read), 0])))).toMatchObject({ field: "end", offset: 80 })
  })
  it("a length that lies", () => {
    const bytes = frameFor(lookup)
    viewOf(bytes).setUint32(0, 43, true)
    expect(problem(bytes)).toMatchObject({ field: "len", offset: 0 })
  })
  it("an opcode that is none", () => {
    const bytes = frameFor(lookup)
    viewOf(bytes).setUint32(4, 7, true)
    expect(problem(bytes)).toMatchObject({ field: "opcode", offset: 4, opcode: 7 })
  })
  it("a name that nothing ends, is empty, or holds a slash", () => {
    const bytes = frameFor({ ...lookup, name: "abc" })
    expect(problem(relength(bytes.slice(0, 43)))).toMatchObject({ field: "name", offset: 40 })
    expect(problem(relength(bytes.slice(0, 40)))).toMatchObject({ field: "name", offset: 40 })
    const slashed = bytes.slice()
    slashed[41] = 0x2f
    expect(problem(slashed)).toMatchObject({ field: "name", offset: 40 })
  })
  it("a count that lies", () => {
    const bytes = frameFor({ op: "batchForget", ...header, forgets: [{ nodeid: 2, nlookup: 1 }] })
    viewOf(bytes).setUint32(40, 0xffffffff, true)
    expect(problem(bytes)).toMatchObject({ field: "count", offset: 40 })
  })
  it("extensions longer than the frame", () => {
    const bytes = frameFor({ op: "mkdir", ...header, name: "a", mode: 0, umask: 0 })
    viewOf(bytes).setUint16(36, 9, true)
    expect(problem(bytes)).toMatchObject({ field: "total_extlen", offset: 36 })
  })
})

it("a reply that is no errno, or longer than its struct, is malformed", () => {
  const bytes = new Uint8Array(16)
  const view = viewOf(bytes)
  view.setUint32(0, 16, true)
  view.setInt32(4, -512, true)
  expect(decodeReply(bytes, lookup)).toMatchObject({ _tag: "DecodeError", field: "error", offset: 4 })
  view.setInt32(4, -2, true)
  expect(decodeReply(bytes, lookup)).toEqual({ unique: 0, errno: 2 })
})

describe("notifications", () => {
  it("that the kernel is too old for are refused", () => {
    expect(encodeNotification({ notify: "resend" }, 39)).toMatchObject({ _tag: "EncodeError", errno: "ENOSYS" })
    expect(encodeNotification({ notify: "prune", nodeids: [] }, 44)).toMatchObject({
      _tag: "EncodeError",
      errno: "ENOSYS"
    })
  })
  it("with names that are none are refused", () => {
    expect(encodeNotification({ notify: "invalEntry", parent: 1, name: "a/b", flags: 0 }, 45)).toMatchObject({
      errno: "EIO"
    })
    expect(encodeNotification({ notify: "delete", parent: 1, child: 2, name: "\ud800" }, 45)).toMatchObject({
      errno: "EILSEQ"
    })
  })
  it("keep the data of STORE where it lies", () => {
    const data = new Uint8Array([1, 2, 3])
    const parts = encodeNotification({ notify: "store", nodeid: 1, offset: 0, data }, 45)
    if (!Array.isArray(parts)) throw new Error("refused")
    expect(parts[1]).toBe(data)
  })
})
