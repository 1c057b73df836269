/** A filesystem in memory written with callbacks by path, for tests. */
import { Errno, fileType, PathFilesystem } from "bickford"

interface File {
  mode: number
  data: Buffer
  nlink: number
  readonly ino: number
  uid: number
  gid: number
  mtime: number
}

/** `log` is told of each `open` and `release`. */
export const memoryPaths = (log: (line: string) => void = () => {}) => {
  const files = new Map<string, File>()
  let last = 1
  const make = (mode: number, { gid, uid }: { readonly uid: number; readonly gid: number } = { uid: 0, gid: 0 }): File =>
    ({ mode, data: Buffer.alloc(0), nlink: 1, ino: ++last, uid, gid, mtime: Date.now() / 1000 })
  files.set("/", make(fileType.dir | 0o755))
  const find = (path: string): File => {
    const file = files.get(path)
    if (file === undefined) throw Errno.ENOENT
    return file
  }
  const resize = (file: File, size: number): void => {
    file.data = Buffer.concat([file.data.subarray(0, size), Buffer.alloc(Math.max(0, size - file.data.length))])
  }
  const below = (path: string): ReadonlyArray<string> => [...files.keys()].filter((one) => one.startsWith(`${path === "/" ? "" : path}/`) && one !== "/")
  const remove = (path: string): void => {
    find(path).nlink--
    files.delete(path)
  }
  return PathFilesystem.make<File>({
    getattr: (path) => {
      const file = files.get(path)
      return file !== undefined && { ...file, size: file.data.length }
    },
    readdir: (path) => below(path).map((one) => one.slice(path === "/" ? 1 : path.length + 1)).filter((name) => !name.includes("/")),
    open: (path) => {
      log(`open ${path}`)
      return find(path)
    },
    create: (path, mode, _flags, caller) => {
      log(`open ${path}`)
      const file = make(fileType.reg | mode, caller)
      files.set(path, file)
      return file
    },
    read: (file, size, offset) => file.data.subarray(Number(offset), Number(offset) + size),
    // A Promise, as most will be.
    write: async (file, data, offset) => {
      if (file.data.length < Number(offset) + data.length) resize(file, Number(offset) + data.length)
      file.data.set(data, Number(offset))
    },
    truncate: (path, size) => resize(find(path), Number(size)),
    mknod: (path, mode, _rdev, caller) => void files.set(path, make(mode, caller)),
    mkdir: (path, mode, caller) => void files.set(path, make(fileType.dir | mode, caller)),
    unlink: remove,
    rmdir: (path) => {
      if (below(path).length > 0) throw Errno.ENOTEMPTY
      remove(path)
    },
    rename: (path, newPath) => {
      for (const one of [path, ...below(path)]) {
        files.set(newPath + one.slice(path.length), find(one))
        files.delete(one)
      }
    },
    link: (path, newPath) => {
      const file = find(path)
      file.nlink++
      files.set(newPath, file)
    },
    symlink: (target, path, caller) => {
      const file = make(fileType.lnk | 0o777, caller)
      file.data = Buffer.from(target)
      files.set(path, file)
    },
    readlink: (path) => find(path).data.toString(),
    chmod: (path, mode) => {
      const file = find(path)
      file.mode = (file.mode & ~0o7777) | mode
    },
    chown: (path, uid, gid) => {
      const file = find(path)
      if (uid >= 0) file.uid = uid
      if (gid >= 0) file.gid = gid
    },
    utimens: (path, _atime, mtime) => {
      if (mtime !== undefined) find(path).mtime = Number(mtime.sec)
    },
    release: (_file, path) => log(`release ${path}`)
  })
}
