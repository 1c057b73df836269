/**
 * Nanoseconds per decode of a request and per encode of its reply, for the ten commonest messages.
 * Run: `node --conditions=development bench/codec.ts [--rounds N]`
 */
import { readFileSync } from "node:fs"
import {
  decodeAs,
  decodeReply,
  decodeRequest,
  encodeReply,
  frameOf,
  isDecodeError,
  isReplyRefusal,
  memoryOf,
  replyData,
  rowOf
} from "@bickford/protocol/codec"

const frames: ReadonlyArray<readonly [string, string]> = [
  ["LOOKUP", "003-lookup-existing"],
  ["GETATTR", "002-getattr-root"],
  ["READ 4 KiB", "053-read-o-direct"],
  ["WRITE 4 KiB", "162-write-mmap-writeback"],
  ["OPEN", "045-open-rdonly"],
  ["RELEASE", "046-release-rdonly"],
  ["READDIRPLUS 4 KiB", "071-readdirplus-bigdir-first"],
  ["GETXATTR", "075-getxattr-size-probe"],
  ["CREATE", "036-create-excl"],
  ["SETATTR", "015-setattr-chmod"]
]

const version = { minor: 45, setxattrExt: true }
const flag = process.argv.indexOf("--rounds")
const rounds = flag < 0 ? 400_000 : Number(process.argv[flag + 1])

const load = (file: string) => {
  const recorded = JSON.parse(readFileSync(new URL(`../test/golden/frames/${file}.json`, import.meta.url), "utf8")) as {
    readonly request_hex: string
    readonly reply_hex: string
  }
  return {
    request: new Uint8Array(Buffer.from(recorded.request_hex, "hex")),
    reply: new Uint8Array(Buffer.from(recorded.reply_hex, "hex"))
  }
}

const timed = (count: number, run: () => void): number => {
  const start = process.hrtime.bigint()
  for (let round = 0; round < count; round++) run()
  return Number(process.hrtime.bigint() - start) / count
}

const memory = memoryOf(new Uint8Array(256 * 1024))
let kept: unknown
let looked = 0
const count = (): void => {
  looked++
}

const cases = frames.map(([name, file]) => {
  const { reply, request: bytes } = load(file)
  const frame = frameOf(bytes)
  const request = decodeRequest(frame, version)
  if (isDecodeError(request)) throw new Error(request.message)
  const row = rowOf(request)
  const decodedReply = decodeReply(reply, request)
  if (isDecodeError(decodedReply)) throw new Error(decodedReply.message)
  const { value } = decodedReply
  return {
    name,
    decode: () => {
      kept = decodeAs(row, frame, version)
    },
    encode: () => {
      kept =
        replyData(row, value, request) ?? encodeReply(row, value, request, undefined, memory, 64, 128 * 1024, count)
      if (isReplyRefusal(kept)) throw new Error(kept.reason)
    }
  }
})

// All of them first, mixed: a filesystem's call sites see every opcode.
for (let round = 0; round < 20_000; round++) {
  for (const { decode, encode } of cases) {
    decode()
    encode()
  }
}

console.log(`${"message".padEnd(20)}${"decode".padStart(10)}${"encode".padStart(10)}${"both".padStart(10)}   ns`)
for (const { decode, encode, name } of cases) {
  const best = (run: () => void) => Math.min(...Array.from({ length: 5 }, () => timed(rounds / 5, run)))
  const decoded = best(decode)
  const encoded = best(encode)
  console.log(
    `${name.padEnd(20)}${decoded.toFixed(0).padStart(10)}${encoded.toFixed(0).padStart(10)}${(decoded + encoded).toFixed(0).padStart(10)}`
  )
}
if (kept === undefined || looked === 0) process.exitCode = 1
