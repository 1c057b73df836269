"""calls.py DIRECTORY: every kind of call of a program, and what each answers, a line each."""
import errno, os, stat, sys

os.chdir(sys.argv[1])


def told(name, call):
    try:
        print(name, call(), flush=True)
    except OSError as error:
        print(name, errno.errorcode.get(error.errno, error.errno), flush=True)


def look(path):
    found = os.lstat(path)
    size = 0 if stat.S_ISDIR(found.st_mode) else found.st_size
    return oct(found.st_mode), found.st_nlink, found.st_uid, found.st_gid, size


def write(path, data, flags=os.O_WRONLY | os.O_CREAT | os.O_TRUNC, mode=0o640):
    fd = os.open(path, flags, mode)
    try:
        return os.write(fd, data)
    finally:
        os.close(fd)


def read(path):
    with open(path, "rb") as file:
        return file.read()


def at(path, flags, body):
    fd = os.open(path, flags)
    try:
        return body(fd)
    finally:
        os.close(fd)


told("list of nothing", lambda: os.listdir("."))
told("missing", lambda: look("missing"))
told("open missing", lambda: os.open("missing", os.O_RDONLY))
told("create", lambda: write("file", b"hello"))
told("create again exclusively", lambda: write("file", b"x", os.O_WRONLY | os.O_CREAT | os.O_EXCL))
told("stat", lambda: look("file"))
told("read", lambda: read("file"))
told("append", lambda: write("file", b" world", os.O_WRONLY | os.O_APPEND))
told("read appended", lambda: read("file"))
told("pwrite beyond the end", lambda: at("file", os.O_RDWR, lambda fd: os.pwrite(fd, b"far", 20)))
told("read the gap", lambda: read("file"))
told("pread", lambda: at("file", os.O_RDONLY, lambda fd: os.pread(fd, 5, 6)))
told("truncate", lambda: os.truncate("file", 5))
told("read truncated", lambda: read("file"))
told("ftruncate", lambda: at("file", os.O_RDWR, lambda fd: (os.ftruncate(fd, 8), os.fstat(fd).st_size)))
told("read grown", lambda: read("file"))
told("truncate at open", lambda: write("file", b"new"))
told("fsync", lambda: at("file", os.O_RDWR, os.fsync))
told("fdatasync", lambda: at("file", os.O_RDWR, os.fdatasync))
told("fsync of a directory", lambda: at(".", os.O_RDONLY, os.fsync))
told("large write", lambda: write("large", bytes(range(256)) * 8192))
told("large read", lambda: read("large") == bytes(range(256)) * 8192)
told("chmod", lambda: os.chmod("file", 0o4751))
told("chown", lambda: os.chown("file", 12, 34))
told("chown of the group", lambda: os.chown("file", -1, 56))
told("changed", lambda: look("file"))
told("utimes", lambda: os.utime("file", ns=(1_000_000_000_123_000_000, 2_000_000_000_456_000_000)))
told("times", lambda: (os.stat("file").st_atime_ns // 10**6, os.stat("file").st_mtime_ns // 10**6))
told("access", lambda: os.access("file", os.R_OK))
told("mkdir", lambda: os.mkdir("d", 0o750))
told("mkdir again", lambda: os.mkdir("d"))
told("directory", lambda: look("d"))
told("file in it", lambda: write("d/one", b"1"))
told("rmdir of what is full", lambda: os.rmdir("d"))
told("open a directory to write", lambda: os.open("d", os.O_WRONLY))
told("through a file", lambda: look("file/x"))
told("symlink", lambda: os.symlink("d/one", "link"))
told("lstat of it", lambda: look("link"))
told("readlink", lambda: os.readlink("link"))
told("readlink of a file", lambda: os.readlink("file"))
told("through it", lambda: read("link"))
told("link", lambda: os.link("file", "hard"))
told("both", lambda: (look("file"), look("hard")))
told("unlink one", lambda: os.unlink("hard"))
told("the other", lambda: look("file"))
told("mkfifo", lambda: os.mkfifo("fifo", 0o600))
told("fifo", lambda: look("fifo"))
told("mknod", lambda: os.mknod("plain", stat.S_IFREG | 0o600))
told("plain", lambda: look("plain"))
told("rename", lambda: os.rename("plain", "renamed"))
told("rename over", lambda: os.rename("renamed", "file"))
told("over", lambda: look("file"))
told("rename missing", lambda: os.rename("missing", "x"))
told("rename a directory", lambda: os.rename("d", "e"))
told("in it", lambda: read("e/one"))
told("rename over what is full", lambda: (os.mkdir("empty"), os.rename("empty", "e")))
told("setxattr", lambda: os.setxattr("file", "user.a", b"value"))
told("setxattr again", lambda: os.setxattr("file", "user.b", b""))
told("getxattr", lambda: os.getxattr("file", "user.a"))
told("getxattr missing", lambda: os.getxattr("file", "user.none"))
told("removexattr", lambda: os.removexattr("file", "user.a"))
told("removexattr missing", lambda: os.removexattr("file", "user.a"))
told("statvfs", lambda: (os.statvfs(".").f_blocks, os.statvfs(".").f_bavail, os.statvfs(".").f_files, os.statvfs(".").f_namemax))


def removed():
    fd = os.open("gone", os.O_RDWR | os.O_CREAT, 0o600)
    os.write(fd, b"still")
    os.unlink("gone")
    try:
        os.ftruncate(fd, 3)
        return os.pread(fd, 10, 0), os.path.exists("gone")
    finally:
        os.close(fd)


told("removed while it is open", removed)
told("unlink missing", lambda: os.unlink("missing"))
told("unlink a directory", lambda: os.unlink("e"))
told("rmdir a file", lambda: os.rmdir("file"))
told("long name", lambda: look("x" * 256))
told("list", lambda: sorted(name for name in os.listdir(".") if not name.startswith(".fuse_hidden")))
told("remove all", lambda: [os.unlink(one) for one in ("e/one", "file", "large", "link", "fifo")])
told("remove directories", lambda: [os.rmdir(one) for one in ("e", "empty")])
told("list of nothing again", lambda: sorted(name for name in os.listdir(".") if not name.startswith(".fuse_hidden")))
