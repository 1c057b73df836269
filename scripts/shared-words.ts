/**
 * Writes native/src/shared_words.h from packages/transport/src/sharedWords.ts; with --check, fails when the file is not what it
 * would write. Run: `node --conditions=development scripts/shared-words.ts [--check]`
 */
import { readFileSync, writeFileSync } from "node:fs"
import { attributeWords, channelWords, ringWords } from "../packages/transport/src/sharedWords.ts"

const file = new URL("../native/src/shared_words.h", import.meta.url)

type Words = Readonly<Record<string, number>>

const snake = (name: string): string => name.replace(/[A-Z]/g, (letter) => `_${letter.toLowerCase()}`)

const members = (words: Words): string => {
  const names = Object.keys(words)
  if (names.some((name, index) => words[name] !== index)) throw new Error("words of a struct follow each other")
  return names.map((name) => `  int32_t ${snake(name)};`).join("\n")
}

const constants = (words: Words): string =>
  Object.entries(words)
    .map(([name, word]) => `constexpr size_t ${snake(name)} = ${word};`)
    .join("\n")

const header = `// Made by scripts/shared-words.ts of packages/transport/src/sharedWords.ts, which says what each word is; do not edit.
#pragma once

#include <cstddef>
#include <cstdint>

// What a channel's functions are told, and what they answer.
struct ChannelWords {
${members(channelWords)}
};

// What a ring's two sides tell each other, before its two lists.
struct RingWords {
${members(ringWords)}
};

// Where in a file's attributes each is.
namespace attribute_words {
${constants(attributeWords)}
constexpr size_t count = ${Math.max(...Object.values(attributeWords)) + 1};
}
`

const read = (): string | undefined => {
  try {
    return readFileSync(file, "utf8")
  } catch {
    return undefined
  }
}

if (!process.argv.includes("--check")) writeFileSync(file, header)
else if (read() !== header) {
  console.error("native/src/shared_words.h is not what its table says: run scripts/shared-words.ts")
  process.exitCode = 1
}
