/**
 * The steps of a commit, as they are kept in the journal. Each can be done again when it was done, as long as no later one
 * was: a commit that was stopped goes on with the first that is not known to be done.
 */
import { errnoNumbers } from "@bickford/protocol"
import { files } from "@bickford/transport"
import * as fs from "node:fs"
import { chunkSize } from "../sqlite/schema.ts"
import { type BranchPath, pathBytes } from "./branchPath.ts"
import { absolute, type BranchView } from "./branchView.ts"

/** Seconds and nanoseconds. */
type StepTime = readonly [sec: string, nsec: number]

/** What a file is to have besides its content. */
export interface StepAttributes {
  readonly mode: number
  readonly uid: number
  readonly gid: number
  readonly atime: StepTime
  readonly mtime: StepTime
  readonly isSymlink: boolean
  /** Name and value, in hexadecimal; undefined: they stay as they are. */
  readonly xattrs: ReadonlyArray<readonly [string, string]> | undefined
}

export type Step =
  | { readonly do: "move"; readonly from: BranchPath; readonly to: BranchPath }
  | { readonly do: "remove"; readonly path: BranchPath }
  | { readonly do: "mkdir"; readonly path: BranchPath }
  | { readonly do: "link"; readonly existing: BranchPath; readonly path: BranchPath }
  | { readonly do: "copy"; readonly from: BranchPath; readonly to: BranchPath }
  | { readonly do: "attributes"; readonly path: BranchPath; readonly attributes: StepAttributes }

const { ENOTSUP, EPERM } = errnoNumbers

const isMissing = (error: unknown): boolean =>
  error instanceof Error && "code" in error && (error.code === "ENOENT" || error.code === "ENOTDIR")

const stat = (path: Buffer): fs.BigIntStats | undefined => {
  try {
    return fs.lstatSync(path, { bigint: true })
  } catch (error) {
    if (isMissing(error)) return undefined
    throw error
  }
}

/** A copy of `from` into the file that is there, which keeps its other names. */
const copyInto = (from: Buffer, to: Buffer): void => {
  const source = fs.openSync(from, "r")
  const target = fs.openSync(to, "r+")
  try {
    const { size } = fs.fstatSync(source)
    const buffer = new Uint8Array(chunkSize)
    for (let at = 0; at < size;) {
      const count = fs.readSync(source, buffer, 0, buffer.length, at)
      if (count === 0) break
      for (let done = 0; done < count;) done += fs.writeSync(target, buffer, done, count - done, at + done)
      at += count
    }
    fs.ftruncateSync(target, size)
  } finally {
    fs.closeSync(source)
    fs.closeSync(target)
  }
}

/** What the base's filesystem, or this user, cannot have is left out: a commit that was begun has to come to its end. */
const call = (what: string, path: BranchPath, status: number, mayFail = process.geteuid?.() !== 0): void => {
  if (mayFail && (status === -EPERM || status === -ENOTSUP)) return
  if (status < 0) throw new Error(`${String(pathBytes(path))}: ${what} failed (errno ${-status})`)
}

/** Gives a file its owner, mode, attributes and times. Who may not give files away leaves the owner as it is. */
export const setAttributes = (
  { rootFd }: Pick<BranchView, "rootFd">,
  path: BranchPath,
  { atime, gid, isSymlink, mode, mtime, uid, xattrs }: StepAttributes
): void => {
  const fd = path === "" ? rootFd : files.fs_find_path(rootFd, pathBytes(path))
  call("open", path, fd)
  try {
    call("chown", path, files.fs_chown(fd, uid, gid))
    if (!isSymlink) call("chmod", path, files.fs_chmod(fd, mode & 0o7777))
    if (xattrs !== undefined) setXattrs(fd, path, xattrs)
    call("utimensat", path, files.fs_utimens(fd, BigInt(atime[0]), atime[1], BigInt(mtime[0]), mtime[1]))
  } finally {
    if (path !== "") files.fs_close(fd)
  }
}

/** Attribute names of one file at a time; nothing is kept in it. */
const nameRoom = new Uint8Array(65536)

const setXattrs = (fd: number, path: BranchPath, wanted: ReadonlyArray<readonly [string, string]>): void => {
  const room = nameRoom
  const length = files.fs_listxattr(fd, room)
  const names = new Set(wanted.map(([name]) => name))
  for (let at = 0; at < length;) {
    const end = room.indexOf(0, at)
    const name = Buffer.from(room.slice(at, end))
    at = end + 1
    const kept = ["user.", "trusted.", "security."].some((space) => name.toString("latin1").startsWith(space))
    if (kept && !names.has(name.toString("hex"))) call("removexattr", path, files.fs_removexattr(fd, name), true)
  }
  for (const [name, value] of wanted)
    call("setxattr", path, files.fs_setxattr(fd, Buffer.from(name, "hex"), Buffer.from(value, "hex"), 0), true)
}

/** Does a step. */
export const doStep = (view: BranchView, step: Step): void => {
  switch (step.do) {
    case "move": {
      const from = absolute(view, step.from)
      if (stat(from) !== undefined) fs.renameSync(from, absolute(view, step.to))
      return
    }
    case "remove":
      // Node takes no bytes here that are no UTF-8.
      removeTree(absolute(view, step.path))
      return
    case "mkdir": {
      const path = absolute(view, step.path)
      if (stat(path) === undefined) fs.mkdirSync(path, 0o700)
      return
    }
    case "link": {
      const existing = absolute(view, step.existing)
      const path = absolute(view, step.path)
      const there = stat(path)
      if (there !== undefined && there.ino === stat(existing)?.ino) return
      if (there !== undefined) fs.unlinkSync(path)
      fs.linkSync(existing, path)
      return
    }
    case "copy":
      copyInto(absolute(view, step.from), absolute(view, step.to))
      return
    case "attributes":
      setAttributes(view, step.path, step.attributes)
  }
}

/** Removes a file, or a directory and all that is in it; nothing, where there is nothing. */
export const removeTree = (path: Buffer): void => {
  const found = stat(path)
  if (found === undefined) return
  if (!found.isDirectory()) {
    fs.unlinkSync(path)
    return
  }
  for (const name of fs.readdirSync(path, { encoding: "buffer" }))
    removeTree(Buffer.concat([path, Buffer.from("/"), name]))
  fs.rmdirSync(path)
}
