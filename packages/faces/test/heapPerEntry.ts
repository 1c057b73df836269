/** Run with --expose-gc: prints the memory that an entry of an archive of 100,000 takes, in bytes, its name included, and how many are found. */
import { ArchiveIndex } from "../src/in/archive/ArchiveIndex.ts"

const entries = 100_000
const pathOf = (number: number): string => `directory-${Math.floor(number / 100)}/a-file-with-a-name-${number}.txt`

const used = (): number => {
  globalThis.gc?.()
  const { arrayBuffers, heapUsed } = process.memoryUsage()
  return heapUsed + arrayBuffers
}

const before = used()
const index = new ArchiveIndex(0)
for (let number = 0; number < entries; number++)
  index.enter(pathOf(number), { mode: 0o100644, mtime: number, size: 8, place: number, stored: 8, crc: 1, method: 0 })
const perEntry = (used() - before) / entries
let found = 0
for (let number = 0; number < entries; number++) {
  const at = index.at(pathOf(number))
  if (at !== undefined && index.get(at).place === number) found++
}
process.stdout.write(JSON.stringify({ perEntry, found, count: index.count }))
