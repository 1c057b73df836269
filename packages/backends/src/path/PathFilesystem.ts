/** A filesystem written as callbacks by path: the ten-line way. */
import { type Backend, type Created, type Dirent, type Entry, Errno, type Open, openReplyFlags, setattrValid as fattr, type U64 } from "@bickford/session"
import * as Effect from "effect/Effect"
import * as Exit from "effect/Exit"
import { attrOf, hasSize, timespec } from "./attributes.ts"
import { fileType, type PathAttributes, type PathCallbacks, type PathStatfs } from "./callbacks.ts"
import { makePathNodes, nameOf, nameText, type PathNode } from "./nodes.ts"
import { andThen, map, optional, outcome, type Outcome } from "./outcome.ts"

export interface PathOptions {
  /** Seconds that the kernel may trust names and attributes. Default 1; 0 for what changes by itself. */
  readonly entryTimeout?: number
  readonly attrTimeout?: number
}

const RENAME_NOREPLACE = 1
/** Bytes of a name, as elsewhere. */
const nameMax = 255
const noStatfs: Outcome<PathStatfs> = Exit.succeed({})
const done: Outcome<void> = Exit.void
const text = new TextEncoder()
const bytes = (data: Uint8Array | string): Uint8Array => typeof data === "string" ? text.encode(data) : data

/** The name that an open file has after it was removed, as in libfuse, until it is closed. */
const hiddenPrefix = ".fuse_hidden"

/**
 * A backend out of callbacks. Node ids follow files through renames of them and of the folders above, hard
 * links made here are one node, and a file that is removed while it is open stays readable: it is renamed
 * (where there is a `rename`) until its last handle is released.
 */
export const make = <H = unknown>(callbacks: PathCallbacks<H>, options: PathOptions = {}): Backend => {
  const nodes = makePathNodes()
  const entryValid = timespec(options.entryTimeout ?? 1)
  const attrValid = timespec(options.attrTimeout ?? 1)
  /** By `fh`: what `open` returned, and the listing of a directory. */
  const handles = new Map<U64, { readonly handle: H; readonly node: PathNode }>()
  const listings = new Map<U64, ReadonlyArray<string>>()
  let lastHandle = 0
  let hidden = 0

  const nodeOf = (nodeid: U64): Outcome<PathNode> => {
    const node = nodes.get(nodeid)
    return node === undefined ? Errno.ESTALE : Exit.succeed(node)
  }

  /** A node's path; ENOENT once it is removed. */
  const at = <A>(nodeid: U64, then: (path: string, node: PathNode) => Outcome<A>): Outcome<A> =>
    andThen(nodeOf(nodeid), (node) => {
      const path = nodes.path(node)
      return path === undefined ? Errno.ENOENT : then(path, node)
    })

  const attributes = (path: string): Outcome<PathAttributes> =>
    andThen(outcome(() => callbacks.getattr(path)), (found): Outcome<PathAttributes> => (found === false ? Errno.ENOENT : Exit.succeed(found)))

  const entryOf = (node: PathNode, found: PathAttributes): Entry => {
    node.known = true
    return { nodeid: node.id, generation: 0, entryValid, attrValid, attr: attrOf(node.id, found) }
  }

  /** What a change has made: looked up, and held by the kernel from now on. */
  const entered = (nodeid: U64, name: string): Outcome<Entry> =>
    at(nodeid, (_path, parent) =>
      andThen(attributesIn(parent, name), (found) => Exit.succeed(entryOf(nodes.enter(parent, name), found))))

  const attributesIn = (parent: PathNode, name: string): Outcome<PathAttributes> => {
    const path = nodes.pathOf(parent, name)
    return path === undefined ? Errno.ENOENT : attributes(path)
  }

  /** A path in a directory, and the directory's node. */
  const inside = <A>(nodeid: U64, name: string, then: (path: string, parent: PathNode) => Outcome<A>): Outcome<A> =>
    at(nodeid, (_path, parent) => {
      if (Buffer.byteLength(name) > nameMax) return Errno.ENAMETOOLONG
      const path = nodes.pathOf(parent, name)
      return path === undefined ? Errno.ENOENT : then(path, parent)
    })

  const opened = (node: PathNode, handle: H, found: PathAttributes | undefined): Open => {
    const fh = ++lastHandle
    handles.set(fh, { handle, node })
    node.open++
    return { fh, openFlags: found === undefined || hasSize(found) ? 0 : openReplyFlags.FOPEN_DIRECT_IO }
  }

  /** Without `open` and `create` there are no handles, and H is undefined. */
  const noHandle: Outcome<H> = Exit.succeed(undefined as H)
  const openAt = (path: string, flags: number): Outcome<H> => {
    const { open } = callbacks
    return open === undefined ? noHandle : outcome(() => open(path, flags))
  }

  /** The handle of a file that is open, and the path it has now. */
  const withHandle = <A>(fh: U64, then: (handle: H, path: string | undefined) => Outcome<A>): Outcome<A> => {
    const open = handles.get(fh)
    return open === undefined ? Errno.EBADF : then(open.handle, nodes.path(open.node))
  }

  /** Removes a file; one that is open is only renamed, if it can be. */
  const unlink = (nodeid: U64, name: string): Outcome<void> =>
    inside(nodeid, name, (path, parent) => {
      const node = parent.children.get(name)
      const { rename } = callbacks
      if (node === undefined || node.open === 0 || node.names.length > 1 || rename === undefined) {
        return map(optional(callbacks.unlink, path), () => nodes.remove(parent, name))
      }
      const hiddenName = `${hiddenPrefix}${String(++hidden).padStart(8, "0")}`
      const hiddenPath = nodes.pathOf(parent, hiddenName) ?? hiddenName
      return map(outcome(() => rename(path, hiddenPath)), () => nodes.rename(parent, name, parent, hiddenName))
    })

  /** The last handle of a removed file is gone: so is the file. */
  const reap = (node: PathNode): Outcome<void> => {
    const [only] = node.names
    const path = nodes.path(node)
    if (node.open > 0 || only === undefined || path === undefined || !only.name.startsWith(hiddenPrefix)) return done
    return map(optional(callbacks.unlink, path), () => nodes.remove(only.parent, only.name))
  }

  const release = (fh: U64): Outcome<void> => {
    const open = handles.get(fh)
    if (open === undefined) return done
    handles.delete(fh)
    const { handle, node } = open
    const path = nodes.path(node)
    node.open--
    const released = callbacks.release === undefined ? done : optional(callbacks.release, handle, path)
    return andThen(released, () => map(reap(node), () => nodes.drop(node)))
  }

  return {
    capabilities: { atomicOTrunc: false },
    ...(callbacks.init === undefined ? {} : { init: () => optional(callbacks.init) }),
    ...(callbacks.destroy === undefined ? {} : { destroy: () => Effect.orDie(optional(callbacks.destroy)) }),

    lookup: ({ name, nodeid }) => inside(nodeid, nameText(name), () => entered(nodeid, nameText(name))),
    forget: (nodeid) => {
      const node = nodes.get(nodeid)
      if (node === undefined) return
      node.known = false
      nodes.drop(node)
    },
    getattr: ({ nodeid }) =>
      at(nodeid, (path, node) => map(attributes(path), (found) => ({ attrValid, attr: attrOf(node.id, found) }))),

    setattr: (request) =>
      at(request.nodeid, (path, node) => {
        const { valid } = request
        const steps: Array<() => Outcome<void>> = []
        if ((valid & fattr.FATTR_MODE) !== 0) steps.push(() => optional(callbacks.chmod, path, request.mode & 0o7777))
        if ((valid & (fattr.FATTR_UID | fattr.FATTR_GID)) !== 0) {
          const uid = (valid & fattr.FATTR_UID) === 0 ? -1 : request.newUid
          const gid = (valid & fattr.FATTR_GID) === 0 ? -1 : request.newGid
          steps.push(() => optional(callbacks.chown, path, uid, gid))
        }
        if ((valid & fattr.FATTR_SIZE) !== 0) steps.push(() => optional(callbacks.truncate, path, request.size))
        if ((valid & (fattr.FATTR_ATIME | fattr.FATTR_MTIME)) !== 0) {
          const now = timespec(new Date())
          const atime = (valid & fattr.FATTR_ATIME_NOW) !== 0 ? now : request.atime
          const mtime = (valid & fattr.FATTR_MTIME_NOW) !== 0 ? now : request.mtime
          steps.push(() =>
            optional(
              callbacks.utimens,
              path,
              (valid & fattr.FATTR_ATIME) === 0 ? undefined : atime,
              (valid & fattr.FATTR_MTIME) === 0 ? undefined : mtime
            ))
        }
        const applied = steps.reduce<Outcome<void>>((before, step) => andThen(before, step), done)
        return andThen(applied, () => map(attributes(path), (found) => ({ attrValid, attr: attrOf(node.id, found) })))
      }),

    readlink: ({ nodeid }) => at(nodeid, (path) => optional(callbacks.readlink, path)),
    symlink: ({ name, nodeid, target }, caller) =>
      inside(nodeid, nameText(name), (path) => andThen(optional(callbacks.symlink, nameText(target), path, caller), () => entered(nodeid, nameText(name)))),
    mknod: ({ mode, name, nodeid, rdev }, caller) =>
      inside(nodeid, nameText(name), (path) => andThen(optional(callbacks.mknod, path, mode, rdev, caller), () => entered(nodeid, nameText(name)))),
    mkdir: ({ mode, name, nodeid }, caller) =>
      inside(nodeid, nameText(name), (path) => andThen(optional(callbacks.mkdir, path, mode & 0o7777, caller), () => entered(nodeid, nameText(name)))),
    unlink: ({ name, nodeid }) => unlink(nodeid, nameText(name)),
    rmdir: ({ name, nodeid }) =>
      inside(nodeid, nameText(name), (path, parent) => map(optional(callbacks.rmdir, path), () => nodes.remove(parent, nameText(name)))),
    rename: ({ flags, name, newdir, newname, nodeid }) =>
      inside(nodeid, nameText(name), (path, parent) =>
        inside(newdir, nameText(newname), (newPath, newParent) => {
          if ((flags & ~RENAME_NOREPLACE) !== 0) return Errno.EINVAL
          const free: Outcome<void> = (flags & RENAME_NOREPLACE) === 0 ? done : Effect.matchEffect(attributes(newPath), {
            onFailure: (error): Outcome<void> => (error._tag === "ENOENT" ? done : Effect.fail(error)),
            onSuccess: (): Outcome<void> => Errno.EEXIST
          })
          return andThen(free, () =>
            map(optional(callbacks.rename, path, newPath), () => nodes.rename(parent, nameText(name), newParent, nameText(newname))))
        })),
    link: ({ newname, nodeid, oldnodeid }) =>
      at(oldnodeid, (oldPath, node) =>
        inside(nodeid, nameText(newname), (path, parent) =>
          andThen(optional(callbacks.link, oldPath, path), () => {
            nodes.link(node, parent, nameText(newname))
            return map(attributes(path), (found) => entryOf(node, found))
          }))),

    open: ({ flags, nodeid }) =>
      at(nodeid, (path, node) =>
        andThen(openAt(path, flags), (handle) =>
          map(attributes(path), (found) => opened(node, handle, found)))),
    create: ({ flags, mode, name, nodeid }, caller) =>
      inside(nodeid, nameText(name), (path): Outcome<Created> => {
        const { create } = callbacks
        const made = create !== undefined
          ? outcome(() => create(path, mode & 0o7777, flags, caller))
          : andThen(optional(callbacks.mknod, path, fileType.reg | (mode & 0o7777), 0, caller), () => openAt(path, flags))
        return andThen(made, (handle) =>
          andThen(entered(nodeid, nameText(name)), (entry) =>
            andThen(nodeOf(entry.nodeid), (node) => Exit.succeed({ entry, open: opened(node, handle, undefined) }))))
      }),
    read: ({ fh, offset, size }) =>
      withHandle(fh, (handle, path) => map(optional(callbacks.read, handle, size, offset, path), (data) => bytes(data).subarray(0, size))),
    write: ({ data, fh, offset }) =>
      withHandle(fh, (handle, path) => map(optional(callbacks.write, handle, data, offset, path), (written) => written ?? data.length)),
    flush: ({ fh }) => withHandle(fh, (handle, path) => optional(callbacks.flush, handle, path)),
    fsync: ({ fh }) => withHandle(fh, (handle, path) => optional(callbacks.fsync, handle, path)),
    release: ({ fh }) => release(fh),

    opendir: ({ nodeid }) =>
      at(nodeid, (path) =>
        map(optional(callbacks.readdir, path), (names): Open => {
          const fh = ++lastHandle
          listings.set(fh, [".", "..", ...Array.from(names).filter((name) => !name.startsWith(hiddenPrefix))])
          return { fh, openFlags: 0 }
        })),
    readdir: ({ fh, nodeid, offset }) => {
      const listing = listings.get(fh)
      if (listing === undefined) return Errno.EBADF
      const parent = nodes.get(nodeid)
      return Exit.succeed(listing.slice(Number(offset)).map((name, index): Dirent => ({
        // What is not known yet has no number yet; programs that want one ask for the attributes.
        ino: parent?.children.get(name)?.id ?? 0xffff_ffff,
        off: Number(offset) + index + 1,
        type: 0,
        name: nameOf(name)
      })))
    },
    releasedir: ({ fh }) => {
      listings.delete(fh)
      return done
    },

    ...(callbacks.access === undefined ? {} : { access: ({ mask, nodeid }) => at(nodeid, (path) => optional(callbacks.access, path, mask)) }),
    statfs: () =>
      map(callbacks.statfs === undefined ? noStatfs : optional(callbacks.statfs, "/"), (given) => ({
        blocks: 0,
        bfree: 0,
        bavail: 0,
        files: 0,
        ffree: 0,
        bsize: 4096,
        namelen: 255,
        ...given,
        frsize: given.bsize ?? 4096
      })),
    ...(callbacks.getxattr === undefined ? {} : {
      getxattr: ({ name, nodeid, size }) =>
        at(nodeid, (path) => andThen(optional(callbacks.getxattr, path, nameText(name)), (value) => sized(bytes(value), size)))
    }),
    ...(callbacks.listxattr === undefined ? {} : {
      listxattr: ({ nodeid, size }) =>
        at(nodeid, (path) => andThen(optional(callbacks.listxattr, path), (names) => sized(bytes(Array.from(names, (name) => `${name}\0`).join("")), size)))
    }),
    ...(callbacks.setxattr === undefined ? {} : {
      setxattr: ({ flags, name, nodeid, value }) => at(nodeid, (path) => optional(callbacks.setxattr, path, nameText(name), value, flags))
    }),
    ...(callbacks.removexattr === undefined ? {} : {
      removexattr: ({ name, nodeid }) => at(nodeid, (path) => optional(callbacks.removexattr, path, nameText(name)))
    }),
    ...(callbacks.ioctl === undefined ? {} : {
      ioctl: ({ cmd, data, fh }) =>
        withHandle(fh, (handle, path) => map(optional(callbacks.ioctl, handle, cmd, data, path), (answer) => ({ result: 0, data: answer ?? new Uint8Array(0) })))
    })
  }
}

/** An attribute as it was asked for: its size only, or all of it, ERANGE when that does not fit. */
const sized = (value: Uint8Array, size: number): Outcome<Uint8Array | { readonly size: number }> => {
  if (size === 0) return Exit.succeed({ size: value.length })
  return value.length > size ? Errno.ERANGE : Exit.succeed(value)
}
