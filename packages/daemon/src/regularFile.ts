/** Files that are read whole, on this thread: a pipe in the place of one would be waited for, and a device has no end. */
import { closeSync, constants, fstatSync, openSync, readFileSync } from "node:fs"

const { O_NONBLOCK, O_RDONLY } = constants

const codeOf = (error: unknown): unknown => (error instanceof Error && "code" in error ? error.code : undefined)

export const notRegular = (what: string): Error => new Error(`is ${what}; name a regular file`)

/** Without O_NONBLOCK the opening of a FIFO waits for a writer, and no signal is handled meanwhile. */
export const openNow = (path: string): number => {
  try {
    return openSync(path, O_RDONLY | O_NONBLOCK)
  } catch (error) {
    throw codeOf(error) === "ENXIO" ? notRegular("a socket, or a device that is not there") : error
  }
}

/** Calls `use` with a descriptor of a regular file. Throws what open(2) fails with, or says that it is none. */
const withRegularFile = <A>(path: string, use: (fd: number) => A): A => {
  const fd = openNow(path)
  try {
    const found = fstatSync(fd)
    if (found.isFile()) return use(fd)
    throw notRegular(found.isDirectory() ? "a directory" : "a device or a pipe")
  } finally {
    closeSync(fd)
  }
}

/** The text of a regular file. */
export const readRegularFile = (path: string): string => withRegularFile(path, (fd) => readFileSync(fd, "utf8"))

/** Throws unless there is a regular file, or none: who reads it says that better. */
export const checkRegularFile = (path: string): void => {
  try {
    withRegularFile(path, () => {})
  } catch (error) {
    if (codeOf(error) !== "ENOENT") throw error
  }
}
