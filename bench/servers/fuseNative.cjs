/**
 * fuseNative.cjs FOLDER MOUNTPOINT: a filesystem in memory on fuse-native, which lies in FOLDER/node_modules.
 * Its interface takes paths, so entries are found by path; buffers are kept in chunks of 128 KiB.
 */
const { createRequire } = require("node:module")
const { join } = require("node:path")
const Fuse = createRequire(join(process.argv[2], "package.json"))("fuse-native")

const mountpoint = process.argv[3]
const chunkSize = 128 * 1024
const nodes = new Map()

const make = (mode) => {
  const at = new Date()
  return {
    mode,
    size: 0,
    mtime: at,
    atime: at,
    ctime: at,
    names: (mode & 0o170000) === 0o040000 ? new Set() : undefined,
    chunks: []
  }
}
nodes.set("/", make(0o040755))

const parentOf = (path) => path.slice(0, path.lastIndexOf("/")) || "/"
const nameOf = (path) => path.slice(path.lastIndexOf("/") + 1)

const add = (path, mode) => {
  const node = make(mode)
  nodes.set(path, node)
  nodes.get(parentOf(path)).names.add(nameOf(path))
  return node
}

const remove = (path) => {
  nodes.delete(path)
  nodes.get(parentOf(path)).names.delete(nameOf(path))
}

const statOf = ({ atime, ctime, mode, mtime, size }) => ({
  mode,
  size,
  atime,
  ctime,
  mtime,
  nlink: 1,
  uid: 0,
  gid: 0,
  blocks: Math.ceil(size / 512),
  blksize: 4096,
  dev: 0,
  ino: 0,
  rdev: 0
})

const resize = (node, size) => {
  const kept = Math.ceil(size / chunkSize)
  if (kept < node.chunks.length) node.chunks.length = kept
  if (size < node.size && size % chunkSize !== 0) node.chunks[kept - 1]?.fill(0, size % chunkSize)
  node.size = size
}

/** Calls back with each piece of [position, position + length): chunk number, place in it, place in the buffer, length. */
const pieces = (position, length, visit) => {
  for (let done = 0; done < length;) {
    const from = (position + done) % chunkSize
    const count = Math.min(chunkSize - from, length - done)
    visit(Math.floor((position + done) / chunkSize), from, done, count)
    done += count
  }
}

const operations = {
  readdir: (path, cb) => {
    const node = nodes.get(path)
    return node === undefined ? cb(Fuse.ENOENT) : cb(0, Array.from(node.names))
  },
  getattr: (path, cb) => {
    const node = nodes.get(path)
    return node === undefined ? cb(Fuse.ENOENT) : cb(0, statOf(node))
  },
  open: (path, flags, cb) => cb(0, 1),
  opendir: (path, flags, cb) => cb(0, 1),
  create: (path, mode, cb) => {
    add(path, mode)
    return cb(0, 1)
  },
  mkdir: (path, mode, cb) => {
    add(path, 0o040000 | mode)
    return cb(0)
  },
  unlink: (path, cb) => {
    remove(path)
    return cb(0)
  },
  rmdir: (path, cb) => {
    remove(path)
    return cb(0)
  },
  // libfuse 2 renames what is unlinked while it is open, and a RELEASE comes some time after its close.
  rename: (from, to, cb) => {
    const node = nodes.get(from)
    remove(from)
    nodes.set(to, node)
    nodes.get(parentOf(to)).names.add(nameOf(to))
    return cb(0)
  },
  truncate: (path, size, cb) => {
    resize(nodes.get(path), size)
    return cb(0)
  },
  ftruncate: (path, fd, size, cb) => {
    resize(nodes.get(path), size)
    return cb(0)
  },
  chmod: (path, mode, cb) => {
    nodes.get(path).mode = mode
    return cb(0)
  },
  chown: (path, uid, gid, cb) => cb(0),
  utimens: (path, atime, mtime, cb) => cb(0),
  read: (path, fd, buffer, length, position, cb) => {
    const node = nodes.get(path)
    const size = Math.max(0, Math.min(length, node.size - position))
    pieces(position, size, (index, from, at, count) => {
      const chunk = node.chunks[index]
      if (chunk === undefined) buffer.fill(0, at, at + count)
      else chunk.copy(buffer, at, from, from + count)
    })
    return cb(size)
  },
  write: (path, fd, buffer, length, position, cb) => {
    const node = nodes.get(path)
    pieces(position, length, (index, from, at, count) => {
      const chunk = (node.chunks[index] ??= Buffer.alloc(chunkSize))
      buffer.copy(chunk, from, at, at + count)
    })
    node.size = Math.max(node.size, position + length)
    return cb(length)
  },
  fsync: (path, fd, datasync, cb) => cb(0)
}

// Its options leave out what is falsy, so zeros are given as text.
const fuse = new Fuse(mountpoint, operations, {
  force: true,
  allowOther: true,
  attrTimeout: "0",
  entryTimeout: "0",
  timeout: false
})
fuse.mount((error) => {
  if (error) {
    console.error(String(error))
    process.exit(1)
  }
})
process.once("SIGTERM", () => fuse.unmount(() => process.exit(0)))
