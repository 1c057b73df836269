/** What the audit tells of a change, and how a record is kept and looked for. */
import { type Name, nameToBytes, type Timespec, type U64 } from "@bickford/protocol"
import type { DatabaseSync } from "node:sqlite"
import { prepareQuery } from "../sqlite/query.ts"
import { pathFromBytes, shownPath } from "./branchPath.ts"

/**
 * An operation that changes something, by the kernel's name. A `setattr` tells in its detail what was set. A file that is
 * made by open(2) is a `mknod` where the kernel opens files by itself.
 */
export type AuditedOperation =
  | "create"
  | "mkdir"
  | "mknod"
  | "symlink"
  | "tmpfile"
  | "link"
  | "unlink"
  | "rmdir"
  | "rename"
  | "write"
  | "setattr"
  | "fallocate"
  | "copyFileRange"
  | "setxattr"
  | "removexattr"

/** What an operation was given, as far as it is one of these. Numbers beyond 2^53 are given as text. */
export interface AuditDetail {
  /** Of what was made, with its type; or as it was set. */
  readonly mode?: number
  readonly uid?: number
  readonly gid?: number
  readonly rdev?: number
  /** Bytes. */
  readonly size?: number | string
  readonly atime?: AuditTime
  readonly mtime?: AuditTime
  /** Bytes from the start of the file. */
  readonly offset?: number | string
  /** Bytes. Writes that follow one another are one record. */
  readonly length?: number | string
  /** Where a renamed file is now. */
  readonly to?: Name
  /** What a new name is another name of, or where copied data comes from; left out for a file without a name. */
  readonly from?: Name
  readonly fromOffset?: number | string
  /** Of renameat2(2) or fallocate(2). */
  readonly flags?: number
  /** Of a symlink. */
  readonly target?: Name
  /** Of an extended attribute. */
  readonly name?: Name
  /** The value of an extended attribute in hexadecimal. */
  readonly value?: string
}

/** Seconds and nanoseconds, and `now` for the time of the change. */
export type AuditTime = readonly [sec: number | string, nsec: number] | "now"

/** One change, and who made it. */
export interface AuditRecord {
  /** Counts up. */
  readonly id: number
  /** Milliseconds since 1970. */
  readonly time: number
  /** The process; 0 for the kernel's own (written by mmap), or a process that could not be seen. */
  readonly pid: number
  /** The process's effective user; undefined where it could not be seen. */
  readonly uid: number | undefined
  /** The path of the program that the process ran; empty where it could not be seen. */
  readonly program: string
  readonly op: AuditedOperation
  /** Relative to the base directory, `.` for that itself; undefined for a file that has no name any more. */
  readonly path: Name | undefined
  readonly detail: AuditDetail
}

/** Which records are wanted: those for which all of it holds. */
export interface AuditFilter {
  readonly pid?: number
  /** The program's path, or the last name of it. */
  readonly program?: string
  /** A path, or a directory and all below it. */
  readonly path?: string
  /** Milliseconds since 1970, included. */
  readonly since?: number
  /** Milliseconds since 1970, not included. */
  readonly until?: number
}

export const numberJson = (value: U64): number | string => (typeof value === "bigint" ? String(value) : value)

export const timeJson = ({ nsec, sec }: Timespec): readonly [number | string, number] => [
  typeof sec === "bigint" ? String(sec) : sec,
  nsec
]

/** A detail as text: a name that is no UTF-8 as its bytes in hexadecimal. */
export const detailText = (detail: AuditDetail): string =>
  JSON.stringify(detail, (_key, value: unknown) =>
    value instanceof Uint8Array ? { hex: Buffer.from(value).toString("hex") } : value
  )

const isHex = (value: unknown): value is { readonly hex: string } =>
  typeof value === "object" && value !== null && "hex" in value && typeof value.hex === "string"

const detailOf = (text: string): AuditDetail =>
  JSON.parse(text, (_key, value: unknown) =>
    isHex(value) ? new Uint8Array(Buffer.from(value.hex, "hex")) : value
  ) as AuditDetail

type Row = readonly [
  id: number,
  time: number,
  pid: number,
  uid: number | null,
  program: string,
  op: AuditedOperation,
  path: Uint8Array | null,
  detail: string
]

const isProgram = (program: string, wanted: string): boolean =>
  program === wanted || program.slice(program.lastIndexOf("/") + 1) === wanted

const isWithin = (path: Uint8Array | null, wanted: string): boolean => {
  if (path === null) return false
  const text = pathFromBytes(path)
  const directory = pathFromBytes(nameToBytes(wanted.replace(/^\.\/|^\.$|\/+$/g, "")))
  return directory === "" || text === directory || text.startsWith(`${directory}/`)
}

/** The records of a branch, the earliest first. */
export const readAudit = (db: DatabaseSync, wanted: AuditFilter = {}): ReadonlyArray<AuditRecord> => {
  const { path: within, pid, program: wantedProgram, since = 0, until = Number.MAX_SAFE_INTEGER } = wanted
  return prepareQuery<Row>(
    db,
    "SELECT id, time, pid, uid, program, op, path, detail FROM audit WHERE time >= ? AND time < ? ORDER BY id"
  )
    .all(since, until)
    .filter(
      ([, , by, , program, , path]) =>
        (pid === undefined || by === pid) &&
        (wantedProgram === undefined || isProgram(program, wantedProgram)) &&
        (within === undefined || isWithin(path, within))
    )
    .map(([id, time, by, uid, program, op, path, detail]) => ({
      id,
      time,
      pid: by,
      uid: uid ?? undefined,
      program,
      op,
      path: path === null ? undefined : path.length === 0 ? "." : shownPath(pathFromBytes(path)),
      detail: detailOf(detail)
    }))
}
