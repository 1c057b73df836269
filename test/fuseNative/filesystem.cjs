/**
 * filesystem.cjs FOLDER NAME MOUNTPOINT [OPTIONS]: a filesystem in memory with every operation of fuse-native's interface, on the package NAME
 * as FOLDER has it installed, with more options as JSON. Says `mounted`, and unmounts at the end of its input.
 */
const { createRequire } = require("node:module")
const { join } = require("node:path")
const [folder, name, mountpoint, options = "{}"] = process.argv.slice(2)
const loaded = createRequire(join(folder, "package.json"))(name)
const Fuse = loaded.default ?? loaded

const type = 0o170000
const directory = 0o040000
const nodes = new Map()
const fds = new Map()
let inodes = 0
let last = 0

const parentOf = (path) => path.slice(0, path.lastIndexOf("/")) || "/"
const nameOf = (path) => path.slice(path.lastIndexOf("/") + 1)
const isDirectory = ({ mode }) => (mode & type) === directory
const changed = (node) => {
  node.mtime = node.ctime = new Date()
}

const add = (path, mode, more) => {
  const at = new Date()
  const node = {
    ino: ++inodes,
    mode,
    uid: 0,
    gid: 0,
    nlink: (mode & type) === directory ? 2 : 1,
    rdev: 0,
    data: Buffer.alloc(0),
    size: 0,
    target: "",
    xattrs: new Map(),
    names: new Set(),
    atime: at,
    mtime: at,
    ctime: at,
    ...more
  }
  nodes.set(path, node)
  if (path !== "/") {
    const above = nodes.get(parentOf(path))
    above.names.add(nameOf(path))
    changed(above)
  }
  return node
}
add("/", directory | 0o755)

const drop = (path) => {
  const node = nodes.get(path)
  nodes.delete(path)
  const above = nodes.get(parentOf(path))
  above.names.delete(nameOf(path))
  changed(above)
  return node
}

const open = (node) => {
  fds.set(++last, node)
  return last
}

const resize = (node, size) => {
  if (size > node.data.length) {
    const grown = Buffer.alloc(Math.max(size, node.data.length * 2))
    node.data.copy(grown, 0, 0, node.size)
    node.data = grown
  } else if (size < node.size) node.data.fill(0, size, node.size)
  node.size = size
  changed(node)
}

const statOf = ({ atime, ctime, gid, ino, mode, mtime, nlink, rdev, size, target, uid }) => ({
  mode,
  size: (mode & type) === 0o120000 ? Buffer.byteLength(target) : size,
  nlink,
  uid,
  gid,
  ino,
  rdev,
  dev: 0,
  blksize: 4096,
  blocks: Math.ceil(size / 512),
  atime,
  mtime,
  ctime
})

/** Calls back ENOENT where nothing is at the path. */
const at = (path, cb, body) => {
  const node = nodes.get(path)
  return node === undefined ? cb(Fuse.ENOENT) : body(node)
}

/** Moves what lies at and below a path. */
const move = (from, to) => {
  const node = drop(from)
  nodes.set(to, node)
  const above = nodes.get(parentOf(to))
  above.names.add(nameOf(to))
  changed(above)
  if (!isDirectory(node)) return
  for (const [path, below] of Array.from(nodes)) {
    if (!path.startsWith(`${from}/`)) continue
    nodes.delete(path)
    nodes.set(to + path.slice(from.length), below)
  }
}

const operations = {
  init: (cb) => cb(0),
  access: (path, mode, cb) => cb(nodes.has(path) ? 0 : Fuse.ENOENT),
  statfs: (path, cb) =>
    cb(0, {
      bsize: 4096,
      frsize: 4096,
      blocks: 1_000_000,
      bfree: 500_000,
      bavail: 500_000,
      files: 1000,
      ffree: 500,
      favail: 500,
      fsid: 0,
      flag: 0,
      namemax: 255
    }),
  getattr: (path, cb) => at(path, cb, (node) => cb(0, statOf(node))),
  fgetattr: (path, fd, cb) => cb(0, statOf(fds.get(fd))),
  readdir: (path, cb) => at(path, cb, (node) => cb(0, [...node.names])),
  opendir: (path, flags, cb) => cb(0, 1),
  releasedir: (path, fd, cb) => cb(0),
  readlink: (path, cb) => at(path, cb, ({ target }) => cb(0, target)),
  symlink: (target, path, cb) => {
    add(path, 0o120777, { target })
    return cb(0)
  },
  mkdir: (path, mode, cb) => {
    add(path, directory | (mode & 0o7777))
    nodes.get(parentOf(path)).nlink++
    return cb(0)
  },
  rmdir: (path, cb) =>
    at(path, cb, (node) => {
      if (node.names.size > 0) return cb(Fuse.ENOTEMPTY)
      drop(path)
      nodes.get(parentOf(path)).nlink--
      return cb(0)
    }),
  mknod: (path, mode, dev, cb) => {
    add(path, mode, { rdev: dev })
    return cb(0)
  },
  create: (path, mode, cb) => cb(0, open(add(path, 0o100000 | (mode & 0o7777)))),
  open: (path, flags, cb) => at(path, cb, (node) => cb(0, open(node))),
  release: (path, fd, cb) => {
    fds.delete(fd)
    return cb(0)
  },
  flush: (path, fd, cb) => cb(0),
  fsync: (path, datasync, fd, cb) => cb(fds.has(fd) ? 0 : Fuse.EBADF),
  fsyncdir: (path, datasync, fd, cb) => cb(0),
  read: (path, fd, buffer, length, position, cb) => {
    const node = fds.get(fd)
    if (node === undefined) return cb(Fuse.EBADF)
    return cb(node.data.copy(buffer, 0, position, Math.min(node.size, position + length)))
  },
  write: (path, fd, buffer, length, position, cb) => {
    const node = fds.get(fd)
    if (node === undefined) return cb(Fuse.EBADF)
    if (position + length > node.size) resize(node, position + length)
    buffer.copy(node.data, position, 0, length)
    changed(node)
    return cb(length)
  },
  truncate: (path, size, cb) =>
    at(path, cb, (node) => {
      resize(node, size)
      return cb(0)
    }),
  ftruncate: (path, fd, size, cb) => {
    resize(fds.get(fd), size)
    return cb(0)
  },
  unlink: (path, cb) =>
    at(path, cb, (node) => {
      drop(path)
      node.nlink--
      return cb(0)
    }),
  link: (path, newPath, cb) =>
    at(path, cb, (node) => {
      nodes.set(newPath, node)
      nodes.get(parentOf(newPath)).names.add(nameOf(newPath))
      node.nlink++
      return cb(0)
    }),
  rename: (from, to, cb) =>
    at(from, cb, () => {
      const there = nodes.get(to)
      if (there !== undefined) {
        if (isDirectory(there) && there.names.size > 0) return cb(Fuse.ENOTEMPTY)
        drop(to)
      }
      move(from, to)
      return cb(0)
    }),
  chmod: (path, mode, cb) =>
    at(path, cb, (node) => {
      node.mode = (node.mode & type) | (mode & 0o7777)
      return cb(0)
    }),
  chown: (path, uid, gid, cb) =>
    at(path, cb, (node) => {
      // -1 comes as it is, or as the number of 32 bits that it is.
      if (uid >= 0 && uid < 0xffffffff) node.uid = uid
      if (gid >= 0 && gid < 0xffffffff) node.gid = gid
      return cb(0)
    }),
  utimens: (path, atime, mtime, cb) =>
    at(path, cb, (node) => {
      node.atime = new Date(atime)
      node.mtime = new Date(mtime)
      return cb(0)
    }),
  setxattr: (path, key, value, position, flags, cb) =>
    at(path, cb, (node) => {
      node.xattrs.set(key, Buffer.from(value))
      return cb(0)
    }),
  getxattr: (path, key, position, cb) => at(path, cb, (node) => cb(0, node.xattrs.get(key) ?? null)),
  listxattr: (path, cb) => at(path, cb, (node) => cb(0, [...node.xattrs.keys()])),
  removexattr: (path, key, cb) => at(path, cb, (node) => cb(node.xattrs.delete(key) ? 0 : -61))
}

const fuse = new Fuse(mountpoint, operations, { force: true, autoUnmount: false, ...JSON.parse(options) })
fuse.mount((error) => {
  if (error) {
    console.error(String(error))
    process.exit(1)
  }
  console.log("mounted")
})
process.stdin.on("end", () => fuse.unmount(() => process.exit(0))).resume()
