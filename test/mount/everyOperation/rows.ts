/**
 * For each operation a program that has the kernel send it, what the program prints, and the request that came.
 *
 * The programs are Python, run by `client`.
 */
import type { ReplyOf } from "@bickford/protocol"

export interface Row {
  readonly program: string
  /** The program's output, without the last line break. */
  readonly prints: string
  /** Fields of the request that reaches the backend. */
  readonly request: { readonly [field: string]: unknown }
  /** The kernel sends it only for a `fuseblk` mount (fs/fuse/inode.c, fs/fuse/file.c). */
  readonly blkdev?: true
}

/** INIT and DESTROY are the session's; DAX mappings come only to virtiofs. */
export type Asked = Exclude<keyof ReplyOf, "init" | "destroy" | "setupmapping" | "removemapping">

/** Runs each program inside the mount, its first argument, and prints a line for it. */
export const client = `
import contextlib, ctypes, errno, fcntl, io, json, os, select, stat, struct, subprocess, sys, traceback
os.chdir(sys.argv[1])
libc = ctypes.CDLL(None, use_errno=True)
def opened(name="file", flags=os.O_RDWR): return os.open(name, flags)
def failing(call):
    try: call()
    except OSError as error: return errno.errorcode[error.errno]
    return "no error"
for operation, program in json.loads(sys.argv[2]):
    with contextlib.redirect_stdout(io.StringIO()) as out:
        try: exec(program)
        except Exception as error: print(repr(error))
    print(operation + ":", out.getvalue().rstrip())
`

export const rows = {
  lookup: {
    program: `print(os.stat("file").st_size, failing(lambda: os.stat("absent")))`,
    prints: "20 ENOENT",
    request: { nodeid: 1, name: "absent" }
  },
  getattr: {
    program: `print(oct(os.fstat(opened()).st_mode), os.stat("file").st_blocks)`,
    prints: "0o100666 3",
    request: { nodeid: 2 }
  },
  setattr: { program: `os.chmod("file", 0o640)`, prints: "", request: { nodeid: 2, mode: 0o100640 } },
  readlink: { program: `print(os.readlink("link"))`, prints: "file", request: { nodeid: 3 } },
  symlink: {
    program: `os.symlink("target", "new")`,
    prints: "",
    request: { nodeid: 1, name: "new", target: "target" }
  },
  mknod: { program: `os.mknod("fifo", stat.S_IFIFO | 0o600)`, prints: "", request: { name: "fifo", mode: 0o10600 } },
  mkdir: { program: `os.umask(0o27); os.mkdir("dir", 0o777)`, prints: "", request: { name: "dir", umask: 0o27 } },
  unlink: { program: `os.unlink("file")`, prints: "", request: { nodeid: 1, name: "file" } },
  rmdir: { program: `os.rmdir("gone")`, prints: "", request: { nodeid: 1, name: "gone" } },
  rename: {
    program: `print(libc.renameat2(-100, b"file", -100, b"other", 1))`,
    prints: "0",
    request: { name: "file", newdir: 1, newname: "other", flags: 1 }
  },
  link: { program: `os.link("file", "second")`, prints: "", request: { nodeid: 1, oldnodeid: 2, newname: "second" } },
  open: {
    program: `opened(flags=os.O_WRONLY | os.O_APPEND)`,
    prints: "",
    request: { nodeid: 2, flags: 0o2001 | 0o100000 }
  },
  read: {
    program: `print(os.pread(opened(), 100, 7).decode())`,
    prints: "bytes of text",
    request: { fh: 7, offset: 7, size: 100 }
  },
  write: { program: `print(os.pwrite(opened(), b"hello", 3))`, prints: "5", request: { fh: 7, offset: 3, size: 5 } },
  statfs: { program: `print(os.statvfs(".").f_bavail)`, prints: "123", request: { nodeid: 1 } },
  release: { program: `failing(lambda: os.close(opened()))`, prints: "", request: { nodeid: 2, fh: 7 } },
  fsync: { program: `os.fdatasync(opened())`, prints: "", request: { fh: 7, fsyncFlags: 1 } },
  setxattr: {
    program: `os.setxattr("file", "user.size", b"big", os.XATTR_CREATE)`,
    prints: "",
    request: { name: "user.size", flags: 1 }
  },
  getxattr: {
    program: `print(os.getxattr("file", "user.colour").decode(), failing(lambda: os.getxattr("file", "user.no")))`,
    prints: "blue ENODATA",
    request: { nodeid: 2, name: "user.colour" }
  },
  listxattr: { program: `print(os.listxattr("file"))`, prints: "['user.colour']", request: { nodeid: 2 } },
  removexattr: { program: `os.removexattr("file", "user.colour")`, prints: "", request: { name: "user.colour" } },
  flush: { program: `print(failing(lambda: os.close(opened())))`, prints: "EDQUOT", request: { nodeid: 2, fh: 7 } },
  opendir: { program: `os.open("many", os.O_DIRECTORY)`, prints: "", request: { nodeid: 4 } },
  // With READDIRPLUS_AUTO the first request of a listing is a READDIRPLUS; nobody looks at a name, so the next is not.
  readdir: { program: `print(len(os.listdir("many")))`, prints: "200", request: { fh: 8 } },
  readdirplus: { program: `print(len(os.listdir("many")))`, prints: "200", request: { fh: 8, offset: 0 } },
  releasedir: { program: `os.listdir("many")`, prints: "", request: { nodeid: 4, fh: 8 } },
  fsyncdir: { program: `os.fsync(os.open("many", os.O_DIRECTORY))`, prints: "", request: { nodeid: 4, fsyncFlags: 0 } },
  getlk: {
    program: `print(struct.unpack("hhqqi", fcntl.fcntl(opened(), fcntl.F_GETLK, struct.pack("hhqqi", 1, 0, 5, 10, 0))[:28])[2:4])`,
    prints: "(5, 4)",
    request: { fh: 7, lk: { type: 1, start: 5, end: 14 } }
  },
  setlk: {
    program: `print(failing(lambda: fcntl.flock(opened(), fcntl.LOCK_EX | fcntl.LOCK_NB)))`,
    prints: "EAGAIN",
    request: { fh: 7, lkFlags: 1 }
  },
  setlkw: {
    program: `fcntl.lockf(opened(), fcntl.LOCK_EX, 3, 1)`,
    prints: "",
    request: { fh: 7, lk: { type: 1, start: 1, end: 3 } }
  },
  access: {
    program: `print(os.access("file", os.R_OK), os.access("file", os.W_OK))`,
    prints: "True False",
    request: { nodeid: 2, mask: 2 }
  },
  create: {
    program: `os.open("new", os.O_CREAT | os.O_EXCL | os.O_WRONLY, 0o604)`,
    prints: "",
    request: { nodeid: 1, name: "new", umask: 0o27 }
  },
  bmap: {
    program: `print(struct.unpack("i", fcntl.ioctl(opened(), 1, struct.pack("i", 4)))[0])`,
    prints: "104",
    request: { nodeid: 2, block: 4 },
    blkdev: true
  },
  // _IOWR('b', 1, 8): the kernel copies both ways.
  ioctl: {
    program: `data = bytearray(b"abcdefgh"); print(fcntl.ioctl(opened(), 0xc0086201, data), data.decode())`,
    prints: "5 hgfedcba",
    request: { fh: 7, cmd: 0xc0086201, inSize: 8, outSize: 8 }
  },
  poll: {
    program: `p = select.poll(); p.register(opened(), select.POLLIN); print(p.poll(0)[0][1])`,
    prints: "1",
    request: { fh: 7 }
  },
  fallocate: {
    program: `print(libc.fallocate(opened(), 1, ctypes.c_long(10), ctypes.c_long(20)))`,
    prints: "0",
    request: { offset: 10, length: 20, mode: 1 }
  },
  lseek: {
    program: `print(os.lseek(opened(), 3, os.SEEK_DATA), failing(lambda: os.lseek(opened(), 3, os.SEEK_HOLE)))`,
    prints: "11 ENXIO",
    request: { fh: 7, offset: 3, whence: 3 }
  },
  copyFileRange: {
    program: `print(os.copy_file_range(opened(), opened(), 10, 2, 13))`,
    prints: "6",
    request: { nodeid: 2, offIn: 2, nodeidOut: 2, offOut: 13, len: 10 }
  },
  syncfs: {
    program: `print(libc.syncfs(os.open(".", os.O_DIRECTORY)))`,
    prints: "0",
    request: { nodeid: 1 },
    blkdev: true
  },
  tmpfile: {
    program: `os.open(".", os.O_TMPFILE | os.O_RDWR, 0o600)`,
    prints: "",
    request: { nodeid: 1, mode: 0o100600 }
  },
  statx: {
    program: `print(subprocess.run(["stat", "-c", "%W", "file"], capture_output=True, text=True).stdout, end="")`,
    prints: "1000000000",
    request: { nodeid: 2 }
  }
} satisfies { readonly [Operation in Asked]: Row }
