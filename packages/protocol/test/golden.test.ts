import { describe, expect, it } from "vitest"
import { isDecodeError } from "../src/decodeError.ts"
import { frameOf, readInHeader, viewOf } from "../src/frame.ts"
import { decodeNotification, encodeNotification } from "../src/notifications.ts"
import { opcodeTable, rowOf } from "../src/opcodes.ts"
import { decodeReply, decodeRequest, encodeErrorFrame, encodeReplyFrame, encodeRequest } from "../src/wire.ts"
import {
  bytesOf,
  exact,
  expectedReply,
  expectedRequest,
  type Fields,
  fieldsOf,
  frameFiles,
  hashed,
  listOf,
  notificationFiles,
  numberOf,
  readJson,
  textOf,
  versionOf
} from "./golden.ts"

const decoded = (frame: Fields) => {
  const bytes = bytesOf(frame["request_hex"])
  const request = decodeRequest(frameOf(bytes), versionOf(frame))
  if (isDecodeError(request)) throw new Error(request.message)
  return { bytes, request }
}

describe.each(frameFiles)("%s", (file) => {
  const frame = readJson(`frames/${file}`)

  it("the request decodes to its recorded fields and encodes to its recorded bytes", () => {
    const { bytes, request } = decoded(frame)
    const expected = expectedRequest(frame)
    expect("data" in request ? { ...request, data: hashed(request.data, expected["data"]) } : request).toEqual(expected)
    expect(rowOf(request).opcode).toBe(numberOf(frame["opcode_number"]))
    expect(encodeRequest(request, versionOf(frame))).toEqual(bytes)
  })

  it("its header is the recorded one", () => {
    const {
      opcode,
      padding: _padding,
      total_extlen: totalExtlen,
      unique,
      ...rest
    } = fieldsOf(fieldsOf(frame["decoded"])["header"])
    const { nodeid, ...numbers } = rest
    expect(readInHeader(frameOf(bytesOf(frame["request_hex"])))).toEqual({
      ...numbers,
      opcode,
      totalExtlen,
      unique: exact(unique),
      nodeid: exact(nodeid)
    })
  })

  it("so does a request that lies inside a larger memory", () => {
    const { bytes, request } = decoded(frame)
    const memory = new Uint8Array(bytes.length + 100).fill(0xff)
    memory.set(bytes, 48)
    expect(decodeRequest(frameOf(memory, 48, bytes.length), versionOf(frame))).toEqual(request)
  })

  it("the reply decodes to its recorded fields and encodes to its recorded bytes", () => {
    const { request } = decoded(frame)
    if (request.op === "interrupt" || !rowOf(request).hasReply) return
    if (frame["reply_hex"] === null) {
      // Left open when it was recorded, so that the kernel would send it again.
      expect(file).toContain("unanswered")
      return
    }
    const bytes = bytesOf(frame["reply_hex"])
    const recorded = fieldsOf(frame["reply_decoded"])
    const header = fieldsOf(recorded["header"])
    const reply = decodeReply(bytes, request)
    if (isDecodeError(reply)) throw new Error(reply.message)
    expect(reply.unique).toEqual(exact(header["unique"]))
    expect(reply.errno).toBe(numberOf(header["error"]) === 0 ? 0 : -numberOf(header["error"]))
    if (reply.errno !== 0) {
      expect(encodeErrorFrame(reply.unique, reply.errno)).toEqual(bytes)
      return
    }
    const expected = expectedReply(fieldsOf(recorded["body"]))
    expect(hashed(reply.value, expected)).toEqual(expected)
    const again: unknown = Reflect.apply(encodeReplyFrame, undefined, [request, reply.value])
    expect(again).toEqual(bytes)
  })
})

describe.each(notificationFiles)("%s", (file) => {
  const recorded = readJson(`notifications/${file}`)
  const bytes = bytesOf(recorded["message_hex"])
  const name = textOf(recorded["notify"])

  it("decodes to its recorded fields and encodes to its recorded bytes", () => {
    const notification = decodeNotification(bytes)
    if (name.startsWith("unknown")) {
      expect(notification).toMatchObject({ _tag: "DecodeError", field: "error" })
      return
    }
    if (isDecodeError(notification)) throw new Error(notification.message)
    const { decoded: raw } = recorded
    const {
      data_hex: data,
      header: _header,
      name: label,
      name_is_nul_terminated: _nul,
      nodeids,
      ...structs
    } = fieldsOf(raw)
    const expected: Record<string, unknown> = {}
    for (const struct of Object.values(structs)) {
      for (const [field, value] of Object.entries(fieldsOf(struct))) {
        expected[field.replace(/_([a-z])/g, (_, letter: string) => letter.toUpperCase())] = exact(value)
      }
    }
    if (data !== undefined) expected["data"] = bytesOf(data)
    if (label !== undefined) expected["name"] = label
    if (nodeids !== undefined) expected["nodeids"] = listOf(nodeids).map(exact)
    for (const [field, value] of Object.entries(notification)) {
      if (field !== "notify") expect(value, field).toEqual(expected[field])
    }
    const parts = encodeNotification(notification, 45)
    if (!Array.isArray(parts)) throw new Error("not encoded")
    expect(new Uint8Array(Buffer.concat(parts))).toEqual(bytes)
  })
})

describe("frames of a ring, their parts apart", () => {
  const recorded = listOf(readJson("uring-frames.json")["frames"]).map(fieldsOf)

  it.each(recorded.map((frame, index) => [`${index} ${textOf(frame["opcode"])}`, frame] as const))("%s", (_, frame) => {
    const header = bytesOf(frame["header_hex"])
    const payload = bytesOf(frame["payload_hex"])
    const bytes = new Uint8Array(header.length + payload.length)
    bytes.set(header)
    bytes.set(payload, header.length)
    const apart = { bytes, view: viewOf(bytes), header: 0, args: 128, payload: header.length, end: bytes.length }
    const version = { minor: 45, setxattrExt: true }
    const request = decodeRequest(apart, version)
    if (isDecodeError(request)) throw new Error(request.message)
    expect(rowOf(request).name).toBe(textOf(frame["opcode"]))
    // The same request as one read of a device.
    const whole = encodeRequest(request, version)
    if (!(whole instanceof Uint8Array)) throw new Error("not encoded")
    const size = opcodeTable[rowOf(request).opcode]?.argsSize ?? 0
    expect(whole.subarray(0, 40)).toEqual(header.subarray(0, 40))
    expect(whole.subarray(40, 40 + size)).toEqual(header.subarray(128, 128 + size))
    expect(whole.subarray(40 + size)).toEqual(payload)
  })
})
