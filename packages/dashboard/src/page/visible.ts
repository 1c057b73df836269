/** Text from a mount, which anybody may have chosen, as it may be shown: nothing in it is invisible or turns the text around. */

// As `printable` of @bickford/protocol, which a test compares with this.
const special = /[\\\p{Cc}\p{Zl}\p{Zp}\p{Cs}\p{Bidi_Control}]/gu

const short: { readonly [character: string]: string | undefined } = {
  "\\": "\\\\",
  "\n": "\\n",
  "\r": "\\r",
  "\t": "\\t"
}

const hex = (value: number, digits: number): string => value.toString(16).padStart(digits, "0")

const escaped = (character: string): string => {
  const code = character.charCodeAt(0)
  return short[character] ?? (code < 0x80 ? `\\x${hex(code, 2)}` : `\\u${hex(code, 4)}`)
}

export const visible = (text: string): string => text.replace(special, escaped)
