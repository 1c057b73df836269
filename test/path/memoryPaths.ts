/** A filesystem in memory written with callbacks by path, for tests. */
import { type Answer, fileType, type PathAttributes, type PathCallbacks, PathFilesystem } from "@bickford/backends"
import type { Timespec } from "@bickford/protocol"
import { type Backend, Errno, type RequestContext } from "@bickford/session"

interface File {
  mode: number
  uid: number
  gid: number
  nlink: number
  data: Buffer
  target: string
  atime: Timespec
  mtime: Timespec
  ctime: Timespec
  readonly ino: number
  readonly rdev: number
  readonly children: Map<string, File> | undefined
  readonly xattrs: Map<string, Uint8Array>
}

const SEEK_DATA = 3
const S_IFMT = 0o170000
const S_ISGID = 0o2000
const isDirectory = (file: File): boolean => file.children !== undefined

const now = (): Timespec => {
  const millis = Date.now()
  const sec = Math.floor(millis / 1000)
  return { sec, nsec: (millis - sec * 1000) * 1_000_000 }
}

const isAfter = (one: Timespec, other: Timespec): boolean =>
  one.sec > other.sec || (one.sec === other.sec && one.nsec > other.nsec)

export interface MemoryPathsOptions {
  /** Told of each `open`, `create` and `release`. */
  readonly log?: (line: string) => void
  /** With it files that are removed live on in their handles; without, they are renamed until they are closed. */
  readonly fgetattr?: boolean
}

export const memoryCallbacks = ({ fgetattr = false, log = () => {} }: MemoryPathsOptions = {}): PathCallbacks<File> => {
  let last = 0
  const make = (mode: number, rdev = 0, context?: RequestContext, parent?: File): File => {
    const at = now()
    const inherits = parent !== undefined && (parent.mode & S_ISGID) !== 0
    const directory = (mode & S_IFMT) === fileType.dir
    return {
      mode: inherits && directory ? mode | S_ISGID : mode,
      uid: context?.uid ?? 0,
      gid: inherits ? parent.gid : (context?.gid ?? 0),
      nlink: directory ? 2 : 1,
      data: Buffer.alloc(0),
      target: "",
      atime: at,
      mtime: at,
      ctime: at,
      ino: ++last,
      rdev,
      children: directory ? new Map<string, File>() : undefined,
      xattrs: new Map<string, Uint8Array>()
    }
  }
  const root = make(fileType.dir | 0o755)

  const childrenOf = (file: File): Map<string, File> => {
    if (file.children === undefined) throw Errno.ENOTDIR
    return file.children
  }
  const find = (path: string): File => {
    let file: File | undefined = root
    for (const name of path.split("/")) if (name !== "") file = file && childrenOf(file).get(name)
    if (file === undefined) throw Errno.ENOENT
    return file
  }
  /** The directory of a path, and the name in it. */
  const place = (
    path: string
  ): { readonly parent: File; readonly children: Map<string, File>; readonly name: string } => {
    const slash = path.lastIndexOf("/")
    const parent = find(path.slice(0, slash))
    return { parent, children: childrenOf(parent), name: path.slice(slash + 1) }
  }
  const changed = (...files: ReadonlyArray<File>): void => {
    const at = now()
    for (const file of files) {
      file.ctime = at
      if (isDirectory(file)) file.mtime = at
    }
  }
  const add = (path: string, file: (parent: File) => File): File => {
    const { children, name, parent } = place(path)
    if (children.has(name)) throw Errno.EEXIST
    const made = file(parent)
    children.set(name, made)
    if (isDirectory(made)) parent.nlink++
    changed(parent)
    return made
  }
  const dropped = (parent: File, file: File): void => {
    if (isDirectory(file)) parent.nlink--
    file.nlink = isDirectory(file) ? 0 : file.nlink - 1
    file.ctime = now()
  }
  const remove = (path: string): void => {
    const { children, name, parent } = place(path)
    const file = find(path)
    if (file.children !== undefined && file.children.size > 0) throw Errno.ENOTEMPTY
    children.delete(name)
    changed(parent)
    dropped(parent, file)
  }
  const resize = (file: File, size: number): void => {
    // Every byte is in memory, holes too.
    if (size > 16 << 20) throw Errno.EFBIG
    if (size > 2 ** 30) throw Errno.EFBIG
    file.data =
      size <= file.data.length
        ? file.data.subarray(0, size)
        : Buffer.concat([file.data, Buffer.alloc(size - file.data.length)])
    file.mtime = now()
    file.ctime = file.mtime
  }
  /** As `relatime`: the first time after a change. */
  const accessed = (file: File): void => {
    const { atime, ctime, mtime } = file
    if (!isAfter(atime, mtime) || !isAfter(atime, ctime)) file.atime = now()
  }
  const attributes = ({
    atime,
    ctime,
    data,
    gid,
    ino,
    mode,
    mtime,
    nlink,
    rdev,
    target,
    uid
  }: File): PathAttributes => ({
    atime,
    ctime,
    gid,
    ino,
    mode,
    mtime,
    nlink,
    rdev,
    size: data.length + Buffer.byteLength(target),
    uid
  })

  return {
    getattr: (path) => {
      try {
        return attributes(find(path))
      } catch (error) {
        if (error === Errno.ENOENT) return false
        throw error
      }
    },
    ...(fgetattr ? { fgetattr: attributes, ftruncate: (file, size) => resize(file, Number(size)) } : {}),
    readdir: (path) => {
      const file = find(path)
      accessed(file)
      return childrenOf(file).keys()
    },
    open: (path) => {
      log(`open ${path}`)
      return find(path)
    },
    create: (path, mode, _flags, context) => {
      log(`open ${path}`)
      return add(path, (parent) => make(fileType.reg | mode, 0, context, parent))
    },
    read: (file, size, offset) => {
      accessed(file)
      return file.data.subarray(Number(offset), Number(offset) + size)
    },
    write: (file, data, offset) => {
      const end = Number(offset) + data.length
      if (file.data.length < end) resize(file, end)
      file.data.set(data, Number(offset))
      file.mtime = now()
      file.ctime = file.mtime
    },
    truncate: (path, size) => resize(find(path), Number(size)),
    mknod: (path, mode, rdev, context) => void add(path, (parent) => make(mode, rdev, context, parent)),
    mkdir: (path, mode, context) => void add(path, (parent) => make(fileType.dir | mode, 0, context, parent)),
    unlink: remove,
    rmdir: remove,
    rename: (path, newPath) => {
      const file = find(path)
      const from = place(path)
      const to = place(newPath)
      const replaced = to.children.get(to.name)
      if (replaced === file) return
      if (replaced?.children !== undefined && replaced.children.size > 0) throw Errno.ENOTEMPTY
      from.children.delete(from.name)
      to.children.set(to.name, file)
      if (isDirectory(file)) {
        from.parent.nlink--
        to.parent.nlink++
      }
      changed(from.parent, to.parent)
      file.ctime = now()
      if (replaced !== undefined) dropped(to.parent, replaced)
    },
    exchange: (path, newPath) => {
      const from = place(path)
      const to = place(newPath)
      const [one, other] = [find(path), find(newPath)]
      from.children.set(from.name, other)
      to.children.set(to.name, one)
      for (const [file, left, entered] of [
        [one, from.parent, to.parent],
        [other, to.parent, from.parent]
      ] as const) {
        file.ctime = now()
        if (!isDirectory(file)) continue
        left.nlink--
        entered.nlink++
      }
      changed(from.parent, to.parent)
    },
    link: (path, newPath) => {
      const file = find(path)
      add(newPath, () => file)
      file.nlink++
      file.ctime = now()
    },
    symlink: (target, path, context) => {
      add(path, (parent) => make(fileType.lnk | 0o777, 0, context, parent)).target = target
    },
    readlink: (path) => find(path).target,
    chmod: (path, mode) => {
      const file = find(path)
      file.mode = (file.mode & ~0o7777) | mode
      file.ctime = now()
    },
    chown: (path, uid, gid) => {
      const file = find(path)
      if (uid >= 0) file.uid = uid
      if (gid >= 0) file.gid = gid
      file.ctime = now()
    },
    utimens: (path, atime, mtime) => {
      const file = find(path)
      file.atime = atime ?? file.atime
      file.mtime = mtime ?? file.mtime
      file.ctime = now()
    },
    // Allocation of whole files, which have no holes.
    fallocate: (file, mode, offset, length) => {
      if (mode !== 0) throw Errno.ENOTSUP
      resize(file, Math.max(file.data.length, Number(offset) + Number(length)))
    },
    lseek: (file, offset, whence) => {
      if (offset >= file.data.length) throw Errno.ENXIO
      return whence === SEEK_DATA ? offset : file.data.length
    },
    release: (_file, path) => log(`release ${path}`),
    getxattr: (path, name) => {
      const value = find(path).xattrs.get(name)
      if (value === undefined) throw Errno.ENODATA
      return value
    },
    setxattr: (path, name, value, flags) => {
      const file = find(path)
      const { xattrs } = file
      if (flags === 1 && xattrs.has(name)) throw Errno.EEXIST
      if (flags === 2 && !xattrs.has(name)) throw Errno.ENODATA
      xattrs.set(name, value.slice())
      file.ctime = now()
    },
    listxattr: (path) => find(path).xattrs.keys(),
    removexattr: (path, name) => {
      const file = find(path)
      if (!file.xattrs.delete(name)) throw Errno.ENODATA
      file.ctime = now()
    }
  }
}

/** The same callbacks, answering with Promises that are kept later. */
export const later = <H>(callbacks: PathCallbacks<H>): PathCallbacks<H> => {
  const delayed =
    (callback: (...args: ReadonlyArray<unknown>) => Answer<unknown>) =>
    async (...args: ReadonlyArray<unknown>) => {
      await new Promise((resolve) => setImmediate(resolve))
      return callback(...args)
    }
  // Every callback may answer with a Promise.
  return Object.fromEntries(
    Object.entries(callbacks).map(([name, callback]) => [name, delayed(callback)])
  ) as unknown as PathCallbacks<H>
}

export const memoryPaths = (options?: MemoryPathsOptions, path?: PathFilesystem.PathOptions): Backend =>
  PathFilesystem.make(memoryCallbacks(options), path)
