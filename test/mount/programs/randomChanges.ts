/**
 * Changes a directory at random, with others that do the same: `randomChanges DIRECTORY COUNT SEED`. What it writes comes from
 * its process and the place in the file, so that who knows both can write it again (`bytesOf`). `randomChanges DIRECTORY` tells
 * what is there.
 */
import { hash } from "node:crypto"
import * as fs from "node:fs"
import { join, relative } from "node:path"

/** What a process writes at a place of a file. */
export const bytesOf = (pid: number, offset: number, length: number): Buffer =>
  Buffer.from(Array.from({ length }, (_, n) => (pid * 131 + (offset + n) * 7 + ((offset + n) >>> 8) * 13) & 0xff))

/** Everything below a directory but times: which paths are one file is told, too. */
export const treeOf = (directory: string): ReadonlyArray<string> => {
  const first = new Map<bigint, string>()
  // Without a type Node goes into what symlinks lead to.
  return fs
    .readdirSync(directory, { recursive: true, withFileTypes: true })
    .map(({ name, parentPath }) => relative(directory, join(parentPath, name)))
    .sort()
    .map((name) => {
      const path = join(directory, name)
      const { ino, mode, nlink, size } = fs.lstatSync(path, { bigint: true })
      const type = Number(mode) & 0o170000
      if (type === 0o120000) return `${name} -> ${fs.readlinkSync(path)}`
      if (type === 0o040000) return `${name}/ ${mode.toString(8)}`
      const known = first.get(ino)
      if (known !== undefined) return `${name} = ${known}`
      first.set(ino, name)
      return `${name} ${mode.toString(8)} ${nlink} ${size} ${hash("sha256", fs.readFileSync(path))}`
    })
}

/** Numbers below a bound that come from a seed (a linear congruential generator). */
const randomNumbers = (seed: number) => {
  let state = seed >>> 0
  return (bound: number): number => {
    state = (Math.imul(state, 1664525) + 1013904223) >>> 0
    return Math.floor((state / 2 ** 32) * bound)
  }
}

const names = ["a", "b", "c", "d"]

const write = (path: string, flags: number, offset: number, length: number): void => {
  const fd = fs.openSync(path, flags, 0o644)
  try {
    fs.writeSync(fd, bytesOf(process.pid, offset, length), 0, length, offset)
  } finally {
    fs.closeSync(fd)
  }
}

const changeAtRandom = (directory: string, count: number, seed: number): void => {
  const random = randomNumbers(seed)
  const path = (): string =>
    join(directory, ...Array.from({ length: 1 + random(3) }, () => names[random(names.length)] ?? "a"))
  const { O_CREAT, O_RDWR, O_TRUNC } = fs.constants
  const changes: ReadonlyArray<() => void> = [
    () => write(path(), O_RDWR | O_CREAT, random(200_000), 1 + random(5000)),
    () => write(path(), O_RDWR | O_CREAT | O_TRUNC, random(1000), 1 + random(5000)),
    () => write(path(), O_RDWR, random(200_000), 1 + random(70_000)),
    () => fs.mkdirSync(path()),
    () => fs.mkdirSync(path()),
    () => fs.rmdirSync(path()),
    () => fs.unlinkSync(path()),
    () => fs.renameSync(path(), path()),
    () => fs.renameSync(path(), path()),
    () => fs.linkSync(path(), path()),
    () => fs.symlinkSync(names[random(names.length)] ?? "a", path()),
    () => fs.truncateSync(path(), random(150_000)),
    () => fs.chmodSync(path(), random(0o1000)),
    () => fs.lutimesSync(path(), random(1e9), random(1e9))
  ]
  for (let n = 0; n < count; n++) {
    try {
      changes[random(changes.length)]?.()
    } catch (error) {
      // Somebody else was there first, or nothing is there.
      if (!(error instanceof Error && "code" in error)) throw error
    }
  }
}

const [, program = "", directory, count, seed] = process.argv
if (program.endsWith("randomChanges.ts") && directory !== undefined) {
  if (count === undefined) console.log(JSON.stringify(treeOf(directory)))
  else changeAtRandom(directory, Number(count), Number(seed))
}
