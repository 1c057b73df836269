/** From operations with callbacks to callbacks by path that answer with values or Promises. */
import type { PathAttributes, PathCallbacks } from "@bickford/backends"
import { described, statMode, type Timespec } from "@bickford/protocol"
import { Errno, errnoError } from "@bickford/session"
import type { Operations, Stat, Statfs } from "./Operations.ts"

/** How long an operation may take before its caller gets ETIMEDOUT, in milliseconds; 0: as long as it likes. */
export type Timeouts = (operation: keyof Operations) => number

const { S_IFDIR, S_IFREG } = statMode

type Maybe<A> = A | Promise<A>

/** Goes on with what an operation answered; what is called back at once costs no promise. */
const andThen = <A, B>(answer: Maybe<A>, next: (value: A) => Maybe<B>): Maybe<B> =>
  answer instanceof Promise ? answer.then(next) : next(answer)

const failure = (error: number): unknown => errnoError(Math.abs(error))

/** What was called back as an error, as a number; an Error object, or whatever else is no whole number, is thrown. */
const numberOf = (error: unknown): number => {
  if (error === null || error === undefined || error === false) return 0
  if (typeof error === "number" && Number.isInteger(error)) return error
  throw error instanceof Error
    ? error
    : new TypeError(`called back with ${described(error)}; expected: an error number`)
}

/**
 * Calls an operation and takes what it calls back with, at once where it does so before it returns. What is called back twice
 * counts once.
 */
const answerOf = <A>(
  milliseconds: number,
  call: (cb: (error: number | null | undefined, value?: A) => void) => void,
  take: (error: number, value: A | undefined) => A
): Maybe<A> => {
  let settle: ((answer: () => A) => void) | undefined
  let early: (() => A) | undefined
  call((error, value) => {
    const answer = (): A => take(numberOf(error), value)
    if (settle !== undefined) settle(answer)
    else early ??= answer
  })
  if (early !== undefined) return early()
  return new Promise<A>((resolve, reject) => {
    const timer = milliseconds > 0 ? setTimeout(() => reject(failure(110)), milliseconds) : undefined
    settle = (answer) => {
      clearTimeout(timer)
      try {
        resolve(answer())
      } catch (error) {
        reject(error)
      }
    }
  })
}

const timeOf = (time: Date | number | undefined): Timespec => {
  const milliseconds = time === undefined ? Date.now() : typeof time === "number" ? time : time.getTime()
  const sec = Math.floor(milliseconds / 1000)
  return { sec, nsec: Math.round((milliseconds - sec * 1000) * 1e6) }
}

const attributesOf = ({
  atime,
  blocks,
  ctime,
  gid,
  ino,
  mode,
  mtime,
  nlink,
  rdev,
  size,
  uid
}: Stat): PathAttributes => ({
  mode,
  size: size ?? 0,
  uid: uid ?? 0,
  gid: gid ?? 0,
  nlink: nlink !== undefined && nlink > 0 ? nlink : undefined,
  ino: ino === 0 ? undefined : ino,
  rdev,
  blocks,
  atime: timeOf(atime),
  mtime: timeOf(mtime),
  ctime: timeOf(ctime)
})

const milliseconds = (time: Timespec): number => Number(time.sec) * 1000 + Math.floor(time.nsec / 1e6)
const root: PathAttributes = { mode: S_IFDIR | 0o755, size: 4096 }

/** Callers of operations, with a timeout for each. */
export const callersOf = (timeouts: Timeouts) => ({
  /** For what answers nothing but an error. */
  done: (name: keyof Operations, call: (cb: (error: number | null | undefined) => void) => void): Maybe<void> =>
    answerOf<void>(timeouts(name), call, (error) => {
      if (error < 0) throw failure(error)
    }),
  /** For what answers a value; `missing` where there is none. */
  value: <A>(
    name: keyof Operations,
    call: (cb: (error: number | null | undefined, value?: A) => void) => void,
    missing: () => A
  ): Maybe<A> =>
    answerOf<A>(timeouts(name), call, (error, value) => {
      if (error < 0) throw failure(error)
      return value ?? missing()
    }),
  /** For what answers a count. */
  count: (name: keyof Operations, call: (cb: (bytes: number | null | undefined) => void) => void): Maybe<number> =>
    answerOf<number>(timeouts(name), call, (bytes) => {
      if (bytes < 0) throw failure(bytes)
      return bytes
    })
})

type Callers = ReturnType<typeof callersOf>

/** A path is known of every file that is open: one that is removed is renamed until it is closed, as in libfuse. */
const pathOf = (path: string | undefined): string => {
  if (path === undefined) throw Errno.ENOENT
  return path
}

const files = (ops: Operations, { count, done, value }: Callers): Partial<PathCallbacks<number>> => {
  const { create, flush, fsync, open, read, release, write } = ops
  return {
    open: (path, flags) =>
      open === undefined
        ? 0
        : value<number>(
            "open",
            (cb) => open(path, flags, cb),
            () => 0
          ),
    ...(create && {
      create: (path, mode) =>
        value<number>(
          "create",
          (cb) => create(path, S_IFREG | mode, cb),
          () => 0
        )
    }),
    ...(read && {
      read: (fd, size, offset, path, _context, buffer) =>
        count("read", (cb) =>
          read(pathOf(path), fd, Buffer.from(buffer.buffer, buffer.byteOffset, size), size, Number(offset), cb)
        )
    }),
    ...(write && {
      write: (fd, data, offset, path) =>
        count("write", (cb) =>
          write(
            pathOf(path),
            fd,
            Buffer.from(data.buffer, data.byteOffset, data.length),
            data.length,
            Number(offset),
            cb
          )
        )
    }),
    ...(flush && { flush: (fd, path) => done("flush", (cb) => flush(pathOf(path), fd, cb)) }),
    ...(fsync && {
      fsync: (fd, path, _context, dataOnly) => done("fsync", (cb) => fsync(pathOf(path), dataOnly, fd, cb))
    }),
    ...(release && {
      release: (fd, path) => (path === undefined ? undefined : done("release", (cb) => release(path, fd, cb)))
    })
  }
}

const names = (ops: Operations, { done, value }: Callers): Partial<PathCallbacks<number>> => {
  const { link, mkdir, mknod, readdir, readlink, rename, rmdir, symlink, unlink } = ops
  return {
    ...(readdir && {
      readdir: (path) =>
        value<ReadonlyArray<string>>(
          "readdir",
          (cb) => readdir(path, cb),
          () => []
        )
    }),
    ...(readlink && {
      readlink: (path) =>
        value<string>(
          "readlink",
          (cb) => readlink(path, cb),
          () => ""
        )
    }),
    ...(mknod && { mknod: (path, mode, rdev) => done("mknod", (cb) => mknod(path, mode, rdev, cb)) }),
    ...(mkdir && { mkdir: (path, mode) => done("mkdir", (cb) => mkdir(path, mode, cb)) }),
    ...(unlink && { unlink: (path) => done("unlink", (cb) => unlink(path, cb)) }),
    ...(rmdir && { rmdir: (path) => done("rmdir", (cb) => rmdir(path, cb)) }),
    ...(rename && { rename: (path, newPath) => done("rename", (cb) => rename(path, newPath, cb)) }),
    ...(link && { link: (path, newPath) => done("link", (cb) => link(path, newPath, cb)) }),
    ...(symlink && { symlink: (target, path) => done("symlink", (cb) => symlink(target, path, cb)) })
  }
}

const orNoData = (found: Buffer | null): Buffer => {
  if (found === null) throw Errno.ENODATA
  return found
}

const attributes = (ops: Operations, { done, value }: Callers): Partial<PathCallbacks<number>> => {
  const {
    access,
    chmod,
    chown,
    ftruncate,
    getattr,
    getxattr,
    listxattr,
    removexattr,
    setxattr,
    statfs,
    truncate,
    utimens
  } = ops
  return {
    ...(access && { access: (path, mode) => done("access", (cb) => access(path, mode, cb)) }),
    ...(chmod && { chmod: (path, mode) => done("chmod", (cb) => chmod(path, mode, cb)) }),
    ...(chown && { chown: (path, uid, gid) => done("chown", (cb) => chown(path, uid, gid, cb)) }),
    ...((truncate ?? ftruncate) && {
      truncate: (path, size, _context, fd) => {
        if (ftruncate !== undefined && fd !== undefined)
          return done("ftruncate", (cb) => ftruncate(path, fd, Number(size), cb))
        if (truncate === undefined) throw Errno.ENOSYS
        return done("truncate", (cb) => truncate(path, Number(size), cb))
      }
    }),
    ...(utimens && {
      utimens: (path, atime, mtime) => {
        const before: Maybe<Stat> =
          getattr === undefined || (atime !== undefined && mtime !== undefined)
            ? { mode: 0 }
            : value<Stat>(
                "getattr",
                (cb) => getattr(path, cb),
                () => ({ mode: 0 })
              )
        return andThen(before, (found) =>
          done("utimens", (cb) =>
            utimens(path, milliseconds(atime ?? timeOf(found.atime)), milliseconds(mtime ?? timeOf(found.mtime)), cb)
          )
        )
      }
    }),
    ...(statfs && {
      statfs: (path) =>
        andThen(
          value<Statfs>(
            "statfs",
            (cb) => statfs(path, cb),
            () => ({})
          ),
          ({ bavail = 0, bfree = 0, blocks = 0, bsize = 4096, ffree = 0, files: all = 0, namemax = 255 }) => ({
            bavail,
            bfree,
            blocks,
            bsize,
            ffree,
            files: all,
            namelen: namemax
          })
        )
    }),
    ...(getxattr && {
      getxattr: (path, name) =>
        andThen(
          value<Buffer | null>(
            "getxattr",
            (cb) => getxattr(path, name, 0, cb),
            () => null
          ),
          orNoData
        )
    }),
    ...(setxattr && {
      setxattr: (path, name, data, flags) =>
        done("setxattr", (cb) => setxattr(path, name, Buffer.from(data), 0, flags, cb))
    }),
    ...(listxattr && {
      listxattr: (path) =>
        value<ReadonlyArray<string>>(
          "listxattr",
          (cb) => listxattr(path, cb),
          () => []
        )
    }),
    ...(removexattr && { removexattr: (path, name) => done("removexattr", (cb) => removexattr(path, name, cb)) })
  }
}

/** The callbacks by path of a fuse-native filesystem. */
export const callbacksOf = (ops: Operations, timeouts: Timeouts): PathCallbacks<number> => {
  const callers = callersOf(timeouts)
  const { getattr, init } = ops
  const missing = (): never => {
    throw Errno.ENOENT
  }
  return {
    getattr: (path) => {
      if (getattr !== undefined) {
        return andThen(
          callers.value<Stat>("getattr", (cb) => getattr(path, cb), missing),
          attributesOf
        )
      }
      if (path !== "/") throw Errno.EPERM
      return root
    },
    ...files(ops, callers),
    ...names(ops, callers),
    ...attributes(ops, callers),
    ...(init && { init: () => callers.done("init", (cb) => init(cb)) })
  }
}
