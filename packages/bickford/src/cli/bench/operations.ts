/** What `bickford bench` does in a directory, one operation each. */
import {
  closeSync,
  mkdirSync,
  openSync,
  readdirSync,
  readSync,
  renameSync,
  rmSync,
  statSync,
  unlinkSync,
  writeFileSync,
  writeSync
} from "node:fs"
import { join } from "node:path"

/** An operation that is made ready in a directory. */
interface Ready {
  readonly once: () => void
  readonly end: () => void
}

export interface Operation {
  readonly name: string
  /** Bytes that each moves, where what counts is how many; else the operations are counted. */
  readonly bytes?: number
  /** Makes what it needs in an empty directory. */
  readonly prepare: (directory: string) => Ready
}

const page = 4096
const mebibyte = 1024 ** 2

/** Of a file that is read and written: its size, 16 MiB. */
const fileBytes = 16 * mebibyte

const nothing = (): void => {}

/** Makes a file of zeros, and opens it. */
const openFile = (directory: string, flags: "r" | "r+"): number => {
  const path = join(directory, "file")
  writeFileSync(path, Buffer.alloc(fileBytes))
  return openSync(path, flags)
}

/** Goes through a file by pieces of `size`, and from its beginning again. */
const through = (size: number, use: (position: number) => void): (() => void) => {
  let at = 0
  return () => {
    use(at)
    at = (at + size) % fileBytes
  }
}

const reading =
  (size: number): Operation["prepare"] =>
  (directory) => {
    const descriptor = openFile(directory, "r")
    const buffer = Buffer.alloc(size)
    return {
      once: through(size, (position) => readSync(descriptor, buffer, 0, size, position)),
      end: () => closeSync(descriptor)
    }
  }

const writing =
  (size: number): Operation["prepare"] =>
  (directory) => {
    const descriptor = openFile(directory, "r+")
    const buffer = Buffer.alloc(size, 1)
    return {
      once: through(size, (position) => writeSync(descriptor, buffer, 0, size, position)),
      end: () => closeSync(descriptor)
    }
  }

/** Something done to one empty file. */
const withFile =
  (use: (path: string, directory: string) => () => void): Operation["prepare"] =>
  (directory) => {
    const path = join(directory, "empty")
    writeFileSync(path, "")
    return { once: use(path, directory), end: nothing }
  }

/** In the order in which they are shown. */
export const operations: ReadonlyArray<Operation> = [
  { name: "stat", prepare: withFile((path) => () => void statSync(path)) },
  {
    name: "stat of no file",
    prepare: withFile((path) => () => void statSync(`${path}.absent`, { throwIfNoEntry: false }))
  },
  { name: "open, close", prepare: withFile((path) => () => closeSync(openSync(path, "r"))) },
  {
    name: "create, remove",
    prepare: (directory) => {
      const path = join(directory, "made")
      return {
        once: () => {
          closeSync(openSync(path, "wx"))
          unlinkSync(path)
        },
        end: nothing
      }
    }
  },
  {
    name: "mkdir, rmdir",
    prepare: (directory) => {
      const path = join(directory, "made")
      return {
        once: () => {
          mkdirSync(path)
          rmSync(path, { recursive: true })
        },
        end: nothing
      }
    }
  },
  {
    name: "rename",
    prepare: withFile((path) => {
      let [from, to] = [path, `${path}.other`]
      return () => {
        renameSync(from, to)
        ;[from, to] = [to, from]
      }
    })
  },
  {
    name: "list 100 names",
    prepare: (directory) => {
      for (let nth = 0; nth < 100; nth++) writeFileSync(join(directory, `file${nth}`), "")
      return { once: () => void readdirSync(directory), end: nothing }
    }
  },
  { name: "read 4 KiB", prepare: reading(page) },
  { name: "write 4 KiB", prepare: writing(page) },
  { name: "read 1 MiB", bytes: mebibyte, prepare: reading(mebibyte) },
  { name: "write 1 MiB", bytes: mebibyte, prepare: writing(mebibyte) }
]
