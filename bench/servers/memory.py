"""memory.py MOUNTPOINT: a filesystem in memory on pyfuse3, caches of names and attributes off."""
import errno
import os
import stat
import sys
import time

import pyfuse3
import trio

CHUNK = 128 * 1024


class Node:
    __slots__ = ("ino", "mode", "size", "time", "names", "chunks", "lookups", "links")

    def __init__(self, ino, mode):
        self.ino = ino
        self.mode = mode
        self.size = 0
        self.time = time.time_ns()
        self.names = {} if stat.S_ISDIR(mode) else None
        self.chunks = {}
        self.lookups = 0
        self.links = 1


class Memory(pyfuse3.Operations):
    def __init__(self):
        super().__init__()
        self.nodes = {pyfuse3.ROOT_INODE: Node(pyfuse3.ROOT_INODE, stat.S_IFDIR | 0o755)}
        self.next = pyfuse3.ROOT_INODE + 1

    def attributes(self, node):
        entry = pyfuse3.EntryAttributes()
        entry.st_ino = node.ino
        entry.st_mode = node.mode
        entry.st_nlink = 1
        entry.st_size = node.size
        entry.st_blocks = (node.size + 511) // 512
        entry.st_blksize = 4096
        entry.st_atime_ns = entry.st_mtime_ns = entry.st_ctime_ns = node.time
        entry.attr_timeout = 0
        entry.entry_timeout = 0
        return entry

    def make(self, parent, name, mode):
        node = Node(self.next, mode)
        self.next += 1
        self.nodes[node.ino] = node
        self.nodes[parent].names[name] = node
        node.lookups = 1
        return node

    def drop(self, node):
        if node.lookups <= 0 and node.links == 0:
            self.nodes.pop(node.ino, None)

    async def lookup(self, parent, name, ctx=None):
        node = self.nodes[parent].names.get(name)
        if node is None:
            raise pyfuse3.FUSEError(errno.ENOENT)
        node.lookups += 1
        return self.attributes(node)

    async def forget(self, inodes):
        for ino, count in inodes:
            node = self.nodes.get(ino)
            if node is not None:
                node.lookups -= count
                self.drop(node)

    async def getattr(self, ino, ctx=None):
        return self.attributes(self.nodes[ino])

    async def setattr(self, ino, attr, fields, fh, ctx):
        node = self.nodes[ino]
        if fields.update_size:
            if attr.st_size < node.size:
                keep = -(-attr.st_size // CHUNK)
                node.chunks = {index: chunk for index, chunk in node.chunks.items() if index < keep}
                if attr.st_size % CHUNK and keep - 1 in node.chunks:
                    chunk = node.chunks[keep - 1]
                    chunk[attr.st_size % CHUNK:] = bytes(CHUNK - attr.st_size % CHUNK)
            node.size = attr.st_size
        if fields.update_mode:
            node.mode = attr.st_mode
        return self.attributes(node)

    async def mkdir(self, parent, name, mode, ctx):
        return self.attributes(self.make(parent, name, stat.S_IFDIR | mode))

    async def create(self, parent, name, mode, flags, ctx):
        node = self.make(parent, name, mode)
        return pyfuse3.FileInfo(fh=node.ino, keep_cache=True), self.attributes(node)

    async def unlink(self, parent, name, ctx):
        node = self.nodes[parent].names.pop(name, None)
        if node is None:
            raise pyfuse3.FUSEError(errno.ENOENT)
        node.links = 0
        self.drop(node)

    rmdir = unlink

    async def open(self, ino, flags, ctx):
        return pyfuse3.FileInfo(fh=ino, keep_cache=True)

    async def opendir(self, ino, ctx):
        return ino

    async def readdir(self, fh, start, token):
        names = list(self.nodes[fh].names.items())
        for index in range(start, len(names)):
            name, node = names[index]
            if not pyfuse3.readdir_reply(token, name, self.attributes(node), index + 1):
                return
            node.lookups += 1

    async def read(self, fh, offset, size):
        node = self.nodes[fh]
        size = max(0, min(size, node.size - offset))
        parts = []
        while size > 0:
            start = offset % CHUNK
            count = min(CHUNK - start, size)
            chunk = node.chunks.get(offset // CHUNK)
            parts.append(bytes(count) if chunk is None else memoryview(chunk)[start:start + count])
            offset += count
            size -= count
        return b"".join(parts)

    async def write(self, fh, offset, data):
        node = self.nodes[fh]
        done = 0
        view = memoryview(data)
        while done < len(data):
            start = (offset + done) % CHUNK
            count = min(CHUNK - start, len(data) - done)
            chunk = node.chunks.get((offset + done) // CHUNK)
            if chunk is None:
                chunk = node.chunks[(offset + done) // CHUNK] = bytearray(CHUNK)
            chunk[start:start + count] = view[done:done + count]
            done += count
        node.size = max(node.size, offset + done)
        return done

    async def fsync(self, fh, datasync):
        pass

    async def flush(self, fh):
        pass

    async def release(self, fh):
        pass


options = set(pyfuse3.default_options)
options.add("fsname=memory")
options.add("allow_other")
options.discard("default_permissions")
pyfuse3.init(Memory(), sys.argv[1], options)
try:
    trio.run(pyfuse3.main)
finally:
    pyfuse3.close(unmount=os.path.ismount(sys.argv[1]))
