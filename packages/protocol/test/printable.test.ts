/** What is printed of text from outside. */
import { assert, it } from "@effect/vitest"
import * as FastCheck from "fast-check"
import { nameFromBytes } from "../src/name.ts"
import { printable, printableJson, printableLogLine } from "../src/printable.ts"

/** What a terminal or a reader of lines acts upon. */
const acted = /[\p{Cc}\p{Zl}\p{Zp}\p{Cs}\u061c\u200e\u200f\u202a-\u202e\u2066-\u2069]/u

it("escapes what a terminal acts upon, and the backslash; leaves the rest", () => {
  assert.strictEqual(printable('plain häß 日本 😀 a=b "c"'), 'plain häß 日本 😀 a=b "c"')
  assert.strictEqual(printable("\x00\t\n\r\x1b[31m\x7f"), String.raw`\x00\t\n\r\x1b[31m\x7f`)
  assert.strictEqual(
    printable("\u0085\u009b\u2028\u2029\u202e\u2066\u200f"),
    String.raw`\u0085\u009b\u2028\u2029\u202e\u2066\u200f`
  )
  assert.strictEqual(printable("\\x1b"), String.raw`\\x1b`)
  assert.strictEqual(printable("a\ud800b"), String.raw`a\ud800b`)
})

it("shows bytes that are no UTF-8 each by itself", () => {
  assert.strictEqual(printable(Buffer.from("caf\xe9\x1b", "latin1")), String.raw`caf\xe9\x1b`)
  assert.strictEqual(
    printable(Buffer.concat([Buffer.from("日\\"), Buffer.from([0xff, 0xe6, 0x97])])),
    String.raw`日\\\xff\xe6\x97`
  )
  // An overlong slash, a surrogate, beyond Unicode.
  assert.strictEqual(
    printable(Buffer.from([0xc0, 0xaf, 0xed, 0xa0, 0x80, 0xf4, 0x90, 0x80, 0x80])),
    String.raw`\xc0\xaf\xed\xa0\x80\xf4\x90\x80\x80`
  )
})

it("never prints what is acted upon, and two names alike", () => {
  const bytes = FastCheck.uint8Array({ maxLength: 12 })
  FastCheck.assert(
    FastCheck.property(bytes, bytes, (a, b) => {
      const shown = printable(nameFromBytes(a))
      assert.notMatch(shown, acted)
      assert.strictEqual(shown === printable(nameFromBytes(b)), Buffer.compare(a, b) === 0)
    })
  )
})

it("leaves JSON's meaning as it is", () => {
  FastCheck.assert(
    FastCheck.property(FastCheck.jsonValue(), FastCheck.string({ unit: "binary" }), (value, text) => {
      const all = { value, text }
      assert.notMatch(printableJson(all), acted)
      assert.notMatch(printableJson(all, 2).replaceAll("\n", ""), acted)
      assert.deepStrictEqual(JSON.parse(printableJson(all)), JSON.parse(JSON.stringify(all)))
      assert.deepStrictEqual(JSON.parse(printableJson(all, 2)), JSON.parse(JSON.stringify(all)))
    })
  )
  assert.strictEqual(
    printableLogLine('message=a\x1b[31m\u009b cause="\\n"'),
    String.raw`message=a\u001b[31m\u009b cause="\n"`
  )
})
