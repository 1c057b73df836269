/**
 * Text from outside (names, processes, error texts, configurations) as it may be printed: nothing in it moves a
 * cursor, ends a line, turns the direction of the text or is told from no other text.
 */
import type { Name } from "./messages.ts"
import { nameFromBytes } from "./name.ts"

// Control characters (C0, DEL, C1), line and paragraph separators, lone surrogates, and what turns the direction of text.
const special = String.raw`\p{Cc}\p{Zl}\p{Zp}\p{Cs}\p{Bidi_Control}`
const unprintable = new RegExp(`[${special}]`, "gu")
const unprintableOrBackslash = new RegExp(String.raw`[\\${special}]`, "gu")

const short: { readonly [character: string]: string | undefined } = {
  "\\": "\\\\",
  "\n": "\\n",
  "\r": "\\r",
  "\t": "\\t"
}

const hex = (value: number, digits: number): string => value.toString(16).padStart(digits, "0")

/** `\xNN` up to DEL only: from 0x80 on that form is a byte's, which is no character. */
const escaped = (character: string): string => {
  const code = character.charCodeAt(0)
  return short[character] ?? (code < 0x80 ? `\\x${hex(code, 2)}` : `\\u${hex(code, 4)}`)
}

/** Every special character is in the basic plane, where JSON's escape has four digits. */
const jsonEscaped = (character: string): string => `\\u${hex(character.charCodeAt(0), 4)}`

/** The number of bytes of the valid UTF-8 sequence that begins at `at`; 0 when there is none. */
const sequenceLength = (bytes: Uint8Array, at: number): number => {
  const first = bytes[at] ?? 0
  const length = first < 0x80 ? 1 : first < 0xc2 ? 0 : first < 0xe0 ? 2 : first < 0xf0 ? 3 : first < 0xf5 ? 4 : 0
  const end = at + length
  return length > 0 && end <= bytes.length && typeof nameFromBytes(bytes, at, end) === "string" ? length : 0
}

const printableBytes = (bytes: Uint8Array): string => {
  let text = ""
  for (let at = 0; at < bytes.length;) {
    const length = sequenceLength(bytes, at)
    text += length === 0 ? `\\x${hex(bytes[at] ?? 0, 2)}` : printable(String(nameFromBytes(bytes, at, at + length)))
    at += Math.max(1, length)
  }
  return text
}

/**
 * Returns a name, or other text, for a line on a terminal or in a log. Escaped are control characters with line
 * breaks and tabs (`\n`, `\x1b`), separators of lines and what turns the direction of text (`\u202e`), bytes that
 * are no UTF-8 (`\xff`), and the backslash itself, so that two names never look the same for their escapes.
 */
export const printable = (text: Name): string =>
  typeof text === "string" ? text.replace(unprintableOrBackslash, escaped) : printableBytes(text)

/** Returns a value's JSON with everything escaped that `printable` escapes; only the line breaks of an indent are bare. */
export const printableJson = (value: unknown, indent?: number): string =>
  indent === undefined
    ? printableLogLine(JSON.stringify(value) ?? "null")
    : (JSON.stringify(value, undefined, indent)?.split("\n").map(printableLogLine).join("\n") ?? "null")

/** Returns a line whose values are quoted as JSON quotes them, with everything escaped, as JSON does it, that JSON leaves as it is. */
export const printableLogLine = (line: string): string => line.replace(unprintable, jsonEscaped)
