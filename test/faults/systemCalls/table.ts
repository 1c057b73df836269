/** Call by error: what the addon answers when a system call of its own goes wrong. */
import { constants } from "node:os"
import type { Fault } from "./faults.ts"

export interface Row {
  /** Of program.ts. */
  readonly ask: string
  readonly fault: Fault
  readonly answer: number
}

const { EAGAIN, EDQUOT, EINTR, EIO, EMFILE, ENFILE, ENODEV, ENOMEM, ENOSPC, EPERM, EPIPE } = constants.errno
const length = "what is written is read".length

const once = (call: string, how: "short" | "nothing"): Fault => ({ call, how, times: 1 })
/** Each errno, for ever, is the answer, told as it is. */
const told = (ask: string, call: string, errors: ReadonlyArray<number>): ReadonlyArray<Row> =>
  errors.map((error) => ({ ask, fault: { call, how: "fail", error, times: -1 }, answer: -error }))
/** Interrupted once, it is done all the same. */
const goesOn = (ask: string, call: string): Row => ({
  ask,
  fault: { call, how: "fail", error: EINTR, times: 1 },
  answer: length
})

export const rows: ReadonlyArray<Row> = [
  goesOn("fs_write", "pwritev64v2"),
  { ask: "fs_write", fault: once("pwritev64v2", "short"), answer: length },
  // Nothing was taken, and no reason given: it is not tried for ever.
  { ask: "fs_write", fault: { call: "pwritev64v2", how: "nothing", times: -1 }, answer: 0 },
  ...told("fs_write", "pwritev64v2", [EIO, ENOSPC, EDQUOT]),
  goesOn("read_range", "pread64"),
  { ask: "read_range", fault: once("pread64", "short"), answer: length },
  { ask: "read_range", fault: once("pread64", "nothing"), answer: 0 },
  ...told("read_range", "pread64", [EIO]),
  // After a failed fsync the next one is another matter, and not the addon's.
  ...told("fsync", "fsync", [EIO, ENOSPC, EDQUOT]),
  ...told("fdatasync", "fdatasync", [EIO, ENOSPC]),
  ...told("syncfs", "syncfs", [EIO]),
  ...told("pipe_pair", "pipe2", [EMFILE, ENFILE]),
  ...told("socketpair", "socketpair", [EMFILE, ENFILE, ENOMEM]),
  // A frame that went out in part is told, so that nobody takes it for sent.
  { ask: "write_frame", fault: once("writev", "short"), answer: -EAGAIN },
  ...told("write_frame", "writev", [EINTR, EPIPE, ENODEV, ENOMEM]),
  ...told("read_frame", "read", [EINTR, ENODEV, EAGAIN, ENOMEM]),
  ...told("mount", "mount", [EPERM, ENODEV]),
  ...told("unmount", "umount2", [EPERM])
]
