import * as fc from "fast-check"
import { describe, expect, it } from "vitest"
import { isDecodeError } from "../src/decodeError.ts"
import { frameOf } from "../src/frame.ts"
import { decodeNotification, encodeNotification } from "../src/notifications.ts"
import { rowOf } from "../src/opcodes.ts"
import { isReplyRefusal } from "../src/refusal.ts"
import { decodeReply, decodeRequest, encodeReplyFrame, encodeRequest } from "../src/wire.ts"
import { notifications, replyTo, requests } from "./arbitraries.ts"

const latest = { minor: 45, setxattrExt: true }
/** What Wick speaks. */
const old = { minor: 31, setxattrExt: false }

describe.each(Object.entries(requests))("%s", (_op, arbitrary) => {
  it.each([
    ["7.45", latest],
    ["7.31", old]
  ] as const)("a request encoded and decoded is the same, %s", (_, version) => {
    fc.assert(
      fc.property(arbitrary, (drawn) => {
        const request = drawn.op === "setxattr" && !version.setxattrExt ? { ...drawn, setxattrFlags: 0 } : drawn
        const frame = encodeRequest(request, version)
        if (!(frame instanceof Uint8Array)) throw new Error(frame.message)
        const again = decodeRequest(frameOf(frame), version)
        if (isDecodeError(again)) throw new Error(again.message)
        expect(again).toEqual(request)
      })
    )
  })

  it("a reply encoded and decoded is the same", () => {
    fc.assert(
      fc.property(
        arbitrary.chain((request) => fc.tuple(fc.constant(request), replyTo(request))),
        ([request, value]) => {
          if (!rowOf(request).hasReply) return
          const frame: unknown = Reflect.apply(encodeReplyFrame, undefined, [request, value])
          if (isReplyRefusal(frame)) throw new Error(frame.reason)
          if (!(frame instanceof Uint8Array)) throw new Error("no frame")
          const reply = decodeReply(frame, request)
          if (isDecodeError(reply)) throw new Error(reply.message)
          expect(reply).toEqual({ unique: request.unique, errno: 0, value })
        }
      )
    )
  })
})

it.each(notifications.map((arbitrary, index) => [index, arbitrary] as const))(
  "notification %i encoded and decoded is the same",
  (_, arbitrary) => {
    fc.assert(
      fc.property(arbitrary, (notification) => {
        const parts = encodeNotification(notification, 45)
        if (!Array.isArray(parts)) throw new Error("not encoded")
        expect(decodeNotification(new Uint8Array(Buffer.concat(parts)))).toEqual(notification)
      })
    )
  }
)
