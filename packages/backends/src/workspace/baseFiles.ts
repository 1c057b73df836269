/**
 * The files of the base directory, by path from its descriptor: no link is followed, and nothing outside is reached.
 */
import { errnoNumbers, type Name, nameFromBytes, nameKey } from "@bickford/protocol"
import { files } from "@bickford/transport"
import { readSync } from "node:fs"
import type { Attributes } from "../passthrough/attributes.ts"
import { coveredName } from "../passthrough/covered.ts"
import type { Xattrs } from "../posix/xattr.ts"
import { makeBaseDescriptors, openQuietly } from "./baseDescriptors.ts"
import { type BaseNode, isSameVersion, type Version } from "./baseNode.ts"
import { readEntries, type BaseEntry } from "./baseListing.ts"

const { EDEADLK } = errnoNumbers
const O_PATH = 0o10000000
const O_DIRECTORY = 0o200000
const namespaces = ["user.", "trusted.", "security."]
const symlinkMax = 4096
const xattrMax = 65536

/** For the names of one file at a time, and for one value: what is found is copied out of them. */
const nameRoom = new Uint8Array(xattrMax)
const valueRoom = new Uint8Array(xattrMax)

const readXattr = (fd: number, name: Name): Uint8Array | undefined => {
  const length = files.fs_getxattr(fd, name, valueRoom)
  return length < 0 ? undefined : valueRoom.slice(0, length)
}

/** The extended attributes of an open file (O_PATH), those that a branch keeps: no ACLs. */
export const readXattrs = (fd: number): Xattrs => {
  const xattrs: Xattrs = new Map()
  const length = files.fs_listxattr(fd, nameRoom)
  for (let at = 0; at < length;) {
    const end = nameRoom.indexOf(0, at)
    const name = nameFromBytes(nameRoom.slice(at, end))
    at = end + 1
    if (!namespaces.some((prefix) => String(name).startsWith(prefix))) continue
    const value = readXattr(fd, name)
    if (value !== undefined) xattrs.set(nameKey(name), { name, value })
  }
  return xattrs
}

/** What a listing of a directory has found. */
interface BaseDirectory {
  readonly entries: ReadonlyArray<BaseEntry>
  readonly version: Version
}

export type BaseFiles = ReturnType<typeof makeBaseFiles>

/** The reader of `root`, of which `attributes` tells what the last look saw. Each call returns a negative errno where it fails. */
export const makeBaseFiles = (root: BaseNode, rootFd: number, attributes: Attributes) => {
  const { close, find, folder, letGo, readable, turn } = makeBaseDescriptors(root, rootFd, attributes)

  const withPath = <A>(node: BaseNode, use: (fd: number) => A, failed: (status: number) => A): A => {
    const fd = node === root ? rootFd : find(node)
    if (fd < 0) return failed(fd)
    try {
      return use(fd)
    } finally {
      if (node !== root) files.fs_close(fd)
    }
  }

  return {
    /** Looks at a name in a directory: fills the attributes. */
    look: (directory: BaseNode, name: Name): number => {
      const fd = folder(directory)
      if (fd < 0) return fd
      // The mount that this process serves there would wait for this process.
      return coveredName(fd, name) === undefined ? files.fs_look(fd, name) : -EDEADLK
    },
    /** Looks at the base directory itself: fills the attributes. */
    lookAtRoot: (): number => files.fs_stat(rootFd),
    /** Looks at an open file: its version, or a negative errno. */
    versionOf: (fd: number): Version | number => {
      const status = files.fs_stat(fd)
      return status < 0 ? status : { size: attributes.size(), mtime: attributes.mtime(), ctime: attributes.ctime() }
    },
    readable,
    /** Reads up to `length` bytes. Shorter at the end of the file. */
    read: (node: BaseNode, offset: number, length: number): Uint8Array<ArrayBuffer> | number => {
      const fd = readable(node)
      if (fd < 0) return fd
      const into = new Uint8Array(length)
      let done = 0
      while (done < length) {
        const count = readSync(fd, into, done, length - done, offset + done)
        if (count === 0) break
        done += count
      }
      return done === length ? into : into.subarray(0, done)
    },
    /** Finds data or a hole, as lseek(2). */
    seek: (node: BaseNode, offset: number, whence: number): number => {
      const fd = readable(node)
      return fd < 0 ? fd : Number(files.fs_seek(fd, offset, whence))
    },
    /** The entries of a directory, and its version; undefined while that is `known`. */
    list: (node: BaseNode, known?: Version): BaseDirectory | number | undefined => {
      const path = folder(node)
      if (path < 0) return path
      const fd = openQuietly(path, O_DIRECTORY)
      if (fd < 0) return fd
      try {
        const status = files.fs_stat(fd)
        if (status < 0) return status
        const version = { size: attributes.size(), mtime: attributes.mtime(), ctime: attributes.ctime() }
        if (known !== undefined && isSameVersion(known, version)) return undefined
        const entries = readEntries(fd)
        return typeof entries === "number" ? entries : { entries, version }
      } finally {
        files.fs_close(fd)
      }
    },
    target: (node: BaseNode): Name | number =>
      withPath<Name | number>(
        node,
        (fd) => {
          const room = new Uint8Array(symlinkMax)
          const length = files.fs_readlink(fd, room)
          return length < 0 ? length : nameFromBytes(room.slice(0, length))
        },
        (status) => status
      ),
    xattrs: (node: BaseNode): Xattrs => withPath<Xattrs>(node, readXattrs, () => new Map()),
    statvfs: (into: Float64Array): number => files.fs_statvfs(rootFd, into),
    /** A descriptor of a file to keep (O_PATH), or of the base directory; whoever asks closes it. */
    open: (node: BaseNode): number => (node === root ? files.fs_open(rootFd, O_PATH, 0) : find(node)),
    letGo,
    turn,
    close
  }
}
