import { expect, it } from "vitest"
import { nameToBytes, readName } from "../src/name.ts"

const encoder = new TextEncoder()
const read = (name: string) => {
  const bytes = encoder.encode(`<${name}>`)
  return readName(bytes, 1, bytes.length - 1)
}

it("reads a name of every length twice as itself, made and met again", () => {
  for (let length = 1; length <= 255; length++) {
    const name = Array.from({ length }, (_, index) => String.fromCharCode(97 + ((index * 7 + length) % 26))).join("")
    expect(read(name)).toBe(name)
    expect(read(name)).toBe(name)
  }
})

it("tells names apart whose hashes are the same", () => {
  // By 31 times one character and the next: "Aa" and "BB" are one number, and so are all that are made of them.
  const colliding = ["AaAa", "AaBB", "BBAa", "BBBB"]
  for (let round = 0; round < 3; round++) for (const name of colliding) expect(read(name)).toBe(name)
  expect(read("Aa")).toBe("Aa")
  expect(read("BB")).toBe("BB")
})

it("makes of every text the bytes that UTF-8 has for it", () => {
  for (const character of ["a", "\x7f", "\x80", "é", "€", "🎆", "\ud800"]) {
    for (let length = 0; length <= 40; length++) {
      for (const name of [character.repeat(length), "a".repeat(length) + character, character + "a".repeat(length)])
        expect(Buffer.compare(nameToBytes(name), encoder.encode(name)), JSON.stringify(name)).toBe(0)
    }
  }
})
