/** Open files of a program without a mount: open(2), and what is done by descriptor. */
import { type Attr, getattrFlags, openFlags, setattrValid, statMode, type Timespec } from "@bickford/protocol"
import * as Effect from "effect/Effect"
import { Errno } from "../errno.ts"
import type { Answered, Fault } from "./KernelSide.ts"
import { closeFile, createFile, type OpenFile, openFile, readSome, writeAll } from "./openFiles.ts"
import { dropPrivileges, killing, mayAdd, permitted, type Ruled, truncationFlags, walking } from "./PathCalls.ts"
import { isDirectory, type Node, type Place } from "./Node.ts"
import { type Walk } from "./PathWalk.ts"
import { mayRead, mayWrite } from "./permissions.ts"
import { type Changes, setattr } from "./setattr.ts"

const { O_ACCMODE, O_APPEND, O_CREAT, O_DIRECTORY, O_EXCL, O_NOFOLLOW, O_RDONLY, O_TRUNC, O_WRONLY } = openFlags
const { FATTR_ATIME, FATTR_FH, FATTR_GID, FATTR_MODE, FATTR_MTIME, FATTR_SIZE, FATTR_UID } = setattrValid

/** An open file. Positions are the caller's; the file lives until `close`, whatever becomes of its name. */
export interface OpenHandle<F extends Fault = never> {
  /** Its attributes (fstat(2)). */
  readonly stat: Answered<Attr, F>
  /** Up to `size` bytes from `position` on; fewer where the file ends. EBADF unless it is open for reading. */
  readonly read: (position: number, size: number) => Answered<Uint8Array, F>
  /** Writes all of `bytes` at `position`; with O_APPEND at the end, whatever the position. EBADF unless it is open for writing. */
  readonly write: (position: number, bytes: Uint8Array) => Answered<void, F>
  /** Sets the size (ftruncate(2)). */
  readonly truncate: (size: number) => Answered<void, F>
  /** Makes what was written permanent; `dataOnly` as fdatasync(2). */
  readonly sync: (dataOnly: boolean) => Answered<void, F>
  /** Sets the permissions (fchmod(2)). */
  readonly chmod: (mode: number) => Answered<void, F>
  /** Sets owner and group (fchown(2)). */
  readonly chown: (uid: number, gid: number) => Answered<void, F>
  /** Sets the times of reading and writing (futimens(2)). */
  readonly utimes: (atime: Timespec, mtime: Timespec) => Answered<void, F>
  /** Closes it; what FLUSH fails with is what close(2) does. */
  readonly close: Answered<void, F>
}

/** FUSE_FSYNC_FDATASYNC of FSYNC. */
const dataSync = 1

/** Owner and group may be set by root; a file's owner may give it to a group of their own (chown(2)). */
export const mayChown = <F extends Fault>({ rules }: Ruled<F>, attr: Attr, uid: number, gid: number) => {
  const { caller } = rules
  if (caller === undefined || caller.uid === 0) return Effect.void
  const ownGroup = gid === attr.gid || caller.gid === gid || caller.groups.includes(gid)
  return caller.uid === attr.uid && uid === attr.uid && ownGroup ? Effect.void : Errno.EPERM
}

/** What a handle does to the attributes of its file. */
const attributeCalls = <F extends Fault>(
  ruled: Ruled<F>,
  file: OpenFile,
  stat: Answered<Attr, F>
): Pick<OpenHandle<F>, "truncate" | "chmod" | "chown" | "utimes"> => {
  const { kernel, rules } = ruled
  const { nodeid, open } = file
  const change = (valid: number, changes: Changes): Answered<void, F> =>
    setattr(kernel, nodeid, open === undefined ? valid : valid | FATTR_FH, { ...changes, fh: open?.fh ?? 0 })
  const owned = (body: (attr: Attr) => Answered<void, F>): Answered<void, F> =>
    Effect.gen(function* () {
      const attr = yield* stat
      yield* rules.own({ nodeid, mode: attr.mode, attr })
      yield* body(attr)
    })
  return {
    truncate: (size) =>
      (file.flags & O_ACCMODE) === O_RDONLY
        ? Errno.EINVAL
        : Effect.andThen(dropPrivileges(ruled, nodeid), change(FATTR_SIZE | truncationFlags(ruled), { size })),
    chmod: (mode) =>
      owned((attr) =>
        change(FATTR_MODE, { mode: (attr.mode & statMode.S_IFMT) | permitted(ruled, attr, mode & 0o7777) })
      ),
    chown: (uid, gid) =>
      Effect.gen(function* () {
        yield* mayChown(ruled, yield* stat, uid, gid)
        yield* change(FATTR_UID | FATTR_GID, { newUid: uid, newGid: gid })
      }),
    utimes: (atime, mtime) => owned(() => change(FATTR_ATIME | FATTR_MTIME, { atime, mtime }))
  }
}

const handleOf = <F extends Fault>(ruled: Ruled<F>, file: OpenFile): OpenHandle<F> => {
  const { kernel } = ruled
  const { flags, nodeid, open } = file
  const access = flags & O_ACCMODE
  const stat = Effect.map(
    kernel.call({
      op: "getattr",
      nodeid,
      getattrFlags: open === undefined ? 0 : getattrFlags.FUSE_GETATTR_FH,
      fh: open?.fh ?? 0
    }),
    ({ attr }) => attr
  )
  const size = Effect.map(stat, (attr) => Number(attr.size))
  return {
    stat,
    ...attributeCalls(ruled, file, stat),
    read: (position, length) => (access === O_WRONLY ? Errno.EBADF : readSome(kernel, file, position, length)),
    write: (position, bytes) => {
      if (access === O_RDONLY) return Errno.EBADF
      const at = (start: number) => writeAll(kernel, file, bytes, start, killing(ruled))
      return Effect.andThen(
        dropPrivileges(ruled, nodeid),
        (flags & O_APPEND) === 0 ? at(position) : Effect.flatMap(size, at)
      )
    },
    sync: (dataOnly) =>
      Effect.catch(
        Effect.asVoid(kernel.call({ op: "fsync", nodeid, fh: open?.fh ?? 0, fsyncFlags: dataOnly ? dataSync : 0 })),
        (error) => (error._tag === "ENOSYS" ? Effect.void : Effect.fail(error))
      ),
    close: Effect.ensuring(closeFile(kernel, file), Effect.ignore(kernel.batchForget([{ nodeid, nlookup: 1 }])))
  }
}

/** Opens what is there, by open(2)'s rules. */
const openFound = <F extends Fault>(ruled: Ruled<F>, found: Node, flags: number): Answered<OpenFile, F> =>
  Effect.gen(function* () {
    const { kernel, rules } = ruled
    const access = flags & O_ACCMODE
    if (isDirectory(found)) return yield* Errno.EISDIR
    if ((flags & O_DIRECTORY) !== 0) return yield* Errno.ENOTDIR
    if ((found.mode & statMode.S_IFMT) === statMode.S_IFLNK) return yield* Errno.ELOOP
    const needed = (access === O_WRONLY ? 0 : mayRead) | (access === O_RDONLY ? 0 : mayWrite)
    yield* rules.access(found, (flags & O_TRUNC) === 0 ? needed : needed | mayWrite)
    const file = yield* openFile(kernel, found, flags & ~(O_CREAT | O_EXCL | O_TRUNC))
    if ((flags & O_TRUNC) === 0) return file
    const valid = FATTR_SIZE | truncationFlags(ruled) | (file.open === undefined ? 0 : FATTR_FH)
    const emptied = Effect.andThen(
      dropPrivileges(ruled, found.nodeid),
      setattr(kernel, found.nodeid, valid, { size: 0, fh: file.open?.fh ?? 0 })
    )
    return yield* Effect.as(
      Effect.catch(emptied, (error) => Effect.andThen(Effect.ignore(closeFile(kernel, file)), Effect.fail(error))),
      file
    )
  })

const openAt = <F extends Fault>(
  ruled: Ruled<F>,
  walk: Walk<F>,
  place: Place,
  flags: number,
  mode: number
): Answered<OpenFile, F> => {
  const { found } = place
  if (found !== undefined)
    return (flags & O_CREAT) !== 0 && (flags & O_EXCL) !== 0 ? Errno.EEXIST : openFound(ruled, found, flags)
  if ((flags & O_CREAT) === 0) return Errno.ENOENT
  return Effect.andThen(mayAdd(ruled, place), createFile(ruled.kernel, walk, place, mode, flags & ~(O_EXCL | O_TRUNC)))
}

/** Opens a file, by open(2)'s `flags`; `mode` are the permissions of one that is made. */
export const openHandle = <F extends Fault>(
  ruled: Ruled<F>,
  path: string,
  flags: number,
  mode: number
): Answered<OpenHandle<F>, F> =>
  walking(ruled, (walk) =>
    Effect.gen(function* () {
      const exclusive = (flags & O_CREAT) !== 0 && (flags & O_EXCL) !== 0
      const place = yield* walk.locate(path, !exclusive && (flags & O_NOFOLLOW) === 0)
      const file = yield* openAt(ruled, walk, place, flags, mode)
      walk.keep(file.nodeid)
      return handleOf(ruled, file)
    })
  )
