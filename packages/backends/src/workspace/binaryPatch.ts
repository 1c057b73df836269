/** Binary content in a patch, as `git apply` takes it: deflated, in base 85, up to 52 bytes a line (gitformat-patch(5)). */
import { createHash } from "node:crypto"
import { deflateSync } from "node:zlib"

const digits = "0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz!#$%&()*+-;<=>?@^_`{|}~"
const lineBytes = 52

/** How many bytes a line has: A to Z for 1 to 26, a to z for 27 to 52. */
const lengthLetter = (length: number): string => String.fromCharCode(length <= 26 ? 64 + length : 96 + length - 26)

const base85 = (bytes: Uint8Array): string => {
  let text = ""
  for (let at = 0; at < bytes.length; at += 4) {
    let word = 0
    for (let n = 0; n < 4; n++) word = word * 256 + (bytes[at + n] ?? 0)
    let group = ""
    for (let n = 0; n < 5; n++) {
      group = (digits[word % 85] ?? "") + group
      word = Math.floor(word / 85)
    }
    text += group
  }
  return text
}

const literal = (content: Uint8Array): string => {
  const deflated = deflateSync(content)
  let text = `literal ${content.length}\n`
  for (let at = 0; at < deflated.length; at += lineBytes) {
    const line = deflated.subarray(at, at + lineBytes)
    text += `${lengthLetter(line.length)}${base85(line)}\n`
  }
  return `${text}\n`
}

/** The content after, and the one before it, so that the patch can be taken back. */
export const binaryPatch = (before: Uint8Array, after: Uint8Array): string =>
  `GIT binary patch\n${literal(after)}${literal(before)}`

/** The name that git gives to a file's content. */
export const blobName = (content: Uint8Array): string =>
  createHash("sha1").update(`blob ${content.length}\0`).update(content).digest("hex")
