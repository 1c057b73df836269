/** Names: looked up, made, moved, taken away. */
import { type Entry, errnoNumbers, type Name, nameFromBytes, type Timespec } from "@bickford/protocol"
import type { Backend, RequestContext } from "@bickford/session"
import { files } from "@bickford/transport"
import * as Exit from "effect/Exit"
import { permissionBits, RENAME_EXCHANGE, RENAME_WHITEOUT, S_IFMT, S_IFREG, symlinkMax } from "../posix/linux.ts"
import { answered, done, failureOf } from "./answers.ts"
import type { CreationMode } from "./creation.ts"
import { changingFolderOf, descriptorOf, entryUnder, folderOf, made, type Served } from "./served.ts"

const AT_REMOVEDIR = 0x200

/** An entry that says "no such name" (`struct fuse_entry_out`). */
const withoutNode = (valid: Timespec): Entry => {
  const zero: Timespec = { sec: 0, nsec: 0 }
  const times = { atime: zero, mtime: zero, ctime: zero }
  const attr = {
    ...times,
    ino: 0,
    size: 0,
    blocks: 0,
    mode: 0,
    nlink: 0,
    uid: 0,
    gid: 0,
    rdev: 0,
    blksize: 0,
    flags: 0
  }
  return { nodeid: 0, generation: 0, entryValid: valid, attrValid: zero, attr }
}

export const nameOperations = (served: Served) => {
  const { creationMode, nodes } = served
  const into = new Uint8Array(symlinkMax + 1)
  const remove = (nodeid: number | bigint, name: Name, flags: number, context: RequestContext) => {
    const folder = changingFolderOf(served, nodeid, context)
    const status = folder < 0 ? folder : files.fs_unlink(folder, name, flags)
    if (status >= 0) nodes.noteRemoved(nodeid, name)
    return answered(status)
  }
  /** Gives back what this process's own umask has taken from what was just made. */
  const unmasked = ({ isMasked, mode }: CreationMode, folder: number, name: Name): number => {
    if (!isMasked) return 0
    const fd = files.fs_find(folder, name)
    if (fd < 0) return fd
    const status = files.fs_chmod(fd, mode)
    files.fs_close(fd)
    return status
  }

  const absent = failureOf(-errnoNumbers.ENOENT)
  /** The answer for a name that is not there: the error, or an entry without a node that the kernel may trust for a while. */
  const missing = served.negativeValid === undefined ? absent : Exit.succeed(withoutNode(served.negativeValid))

  const operations: Backend = {
    lookup: ({ name, nodeid }) => {
      nodes.trim()
      const folder = folderOf(served, nodeid)
      if (folder < 0) return failureOf(folder)
      const found = entryUnder(served, nodeid, folder, name)
      return found === absent ? missing : found
    },
    forget: nodes.forget,
    mknod: ({ extensions, mode, name, nodeid, rdev, umask }, context) =>
      made(served, nodeid, name, context, extensions, (folder) => {
        const given = creationMode(folder, (mode & S_IFMT) === 0 ? mode | S_IFREG : mode, umask)
        const status = files.fs_mknod(folder, name, given.mode, rdev)
        return status < 0 ? status : unmasked(given, folder, name)
      }),
    mkdir: ({ extensions, mode, name, nodeid, umask }, context) =>
      made(served, nodeid, name, context, extensions, (folder) => {
        const given = creationMode(folder, mode & permissionBits, umask)
        const status = files.fs_mkdir(folder, name, given.mode)
        return status < 0 ? status : unmasked(given, folder, name)
      }),
    symlink: ({ extensions, name, nodeid, target }, context) =>
      made(served, nodeid, name, context, extensions, (folder) => files.fs_symlink(folder, name, target)),
    readlink: ({ nodeid }) => {
      nodes.trim()
      const fd = descriptorOf(served, nodeid)
      const length = fd < 0 ? fd : files.fs_readlink(fd, into)
      return length < 0 ? failureOf(length) : Exit.succeed(nameFromBytes(into, 0, length))
    },
    link: ({ newname, nodeid, oldnodeid }, context) => {
      nodes.trim()
      const file = descriptorOf(served, oldnodeid)
      if (file < 0) return failureOf(file)
      const folder = changingFolderOf(served, nodeid, context)
      if (folder < 0) return failureOf(folder)
      const status = files.fs_link(file, folder, newname)
      return status < 0 ? failureOf(status) : entryUnder(served, nodeid, folder, newname)
    },
    unlink: ({ name, nodeid }, context) => remove(nodeid, name, 0, context),
    rmdir: ({ name, nodeid }, context) => remove(nodeid, name, AT_REMOVEDIR, context),
    rename: ({ flags, name, newdir, newname, nodeid }, context) => {
      nodes.trim()
      const from = changingFolderOf(served, nodeid, context)
      // Both are asked before either is refused: the kernel comes back only once.
      const to = newdir === nodeid ? from : changingFolderOf(served, newdir, context)
      if (from < 0 || to < 0) return failureOf(Math.min(from, to))
      const rename = (): number => files.fs_rename(from, name, to, newname, flags)
      // The device that is left behind is a new file.
      const status = (flags & RENAME_WHITEOUT) !== 0 ? served.caller.as(context, undefined, rename) : rename()
      if (status < 0) return failureOf(status)
      nodes.noteRemoved(newdir, newname)
      // The kernel looks a name that it has moved up later, if at all: until then the node is found by it here.
      nodes.moved(to, newname, newdir)
      if ((flags & RENAME_EXCHANGE) !== 0) nodes.moved(from, name, nodeid)
      return done
    }
  }
  return operations
}
