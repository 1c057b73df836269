/** The text of a configuration: a file, or a pipe as a shell's `<(...)` gives it, of bounded size and within a bounded time. */
import * as Effect from "effect/Effect"
import { closeSync, fstatSync, readFileSync, statSync } from "node:fs"
import { Socket } from "node:net"
import { notRegular, openNow } from "../regularFile.ts"

/** Bytes that a configuration may have. */
const most = 2 ** 24

const tooLong = (): Error => new Error(`has more than ${most / 2 ** 20} MiB, and is not a configuration`)

const asError = (error: unknown): Error => (error instanceof Error ? error : new Error(String(error)))

/** Reads a pipe to its end, and closes it. A FIFO that nobody has opened for writing yet is waited for, too. */
const readPipe = (fd: number): Effect.Effect<string, Error> =>
  Effect.callback<string, Error>((resume) => {
    const parts: Array<Buffer> = []
    let length = 0
    const socket = new Socket({ fd, readable: true, writable: false })
    socket.on("data", (part: Buffer) => {
      length += part.length
      parts.push(part)
      if (length > most) socket.destroy(tooLong())
    })
    socket.once("error", (error) => resume(Effect.fail(error)))
    socket.once("end", () => resume(Effect.succeed(Buffer.concat(parts).toString("utf8"))))
    return Effect.sync(() => socket.destroy())
  })

const read = (path: string, patience: number): Effect.Effect<string, Error> =>
  Effect.suspend(() => {
    const fd = openNow(path)
    const found = fstatSync(fd)
    if (found.isFIFO()) {
      return Effect.timeoutOrElse(readPipe(fd), {
        duration: patience,
        orElse: () => Effect.fail(new Error(`is a pipe that did not end within ${patience / 1000} s`))
      })
    }
    try {
      if (found.isDirectory()) throw notRegular("a directory")
      if (!found.isFile()) throw notRegular("a device")
      if (found.size > most) throw tooLong()
      return Effect.succeed(readFileSync(fd, "utf8"))
    } finally {
      closeSync(fd)
    }
  })

/** Reads a configuration's text; `patience` (milliseconds) is what a pipe may take to its end. */
export const readConfigText = (path: string, patience = 10_000): Effect.Effect<string, NodeJS.ErrnoException> =>
  Effect.catchDefect(read(path, patience), (defect) => Effect.fail(asError(defect)))

/** Whether what is at a path can be read once only. It is not opened: who writes it would take that for the reading. */
export const isPipe = (path: string): boolean => statSync(path, { throwIfNoEntry: false })?.isFIFO() === true
