"""
allTypes.py make DIR | socket PATH | show DIR: a tree of every file type but sockets with extended attributes,
a socket, and all there is to see of a tree.
"""
import hashlib
import os
import socket
import stat
import sys


def make(root):
    os.makedirs(f"{root}/folder/empty")
    os.chmod(f"{root}/folder/empty", 0o1777)
    with open(f"{root}/file", "wb") as file:
        file.write(bytes(range(256)) * 1000)
    with open(f"{root}/sparse", "wb") as file:
        file.truncate(50_000_000)
        file.seek(20_000_000)
        file.write(b"in the middle")
    os.link(f"{root}/file", f"{root}/folder/hard link")
    os.symlink("file", f"{root}/link")
    os.symlink("x" * 4000, f"{root}/long link")
    os.mkfifo(f"{root}/fifo", 0o640)
    os.mknod(f"{root}/character", 0o600 | stat.S_IFCHR, os.makedev(1, 3))
    os.mknod(f"{root}/block", 0o600 | stat.S_IFBLK, os.makedev(259, 1_000_000))
    with open(os.fsencode(root) + b"/\xff\xfe not UTF-8", "wb"):
        pass
    with open(f"{root}/" + "n" * 255, "wb"):
        pass
    os.chmod(f"{root}/file", 0o4751)
    os.chown(f"{root}/fifo", 12345, 54321)
    os.setxattr(f"{root}/file", "user.one", b"\0binary\xff")
    os.setxattr(f"{root}/file", "trusted.two", b"2" * 2000)
    os.setxattr(f"{root}/folder", "user.empty", b"")
    os.utime(f"{root}/folder/empty", ns=(-1_000_000_007, 5_000_000_000_123_456_789))
    os.utime(f"{root}/link", ns=(1, 2), follow_symlinks=False)


def show(root):
    os.chdir(root)
    links = {}
    paths = sorted([b"."] + [os.path.join(folder, name) for folder, folders, files in os.walk(b".") for name in folders + files])
    for path in paths:
        seen = os.lstat(path)
        shown = [oct(seen.st_mode), seen.st_uid, seen.st_gid, seen.st_rdev, links.setdefault(seen.st_ino, path) if not stat.S_ISDIR(seen.st_mode) else ""]
        if path != b".":
            shown += [seen.st_mtime_ns]
        if stat.S_ISREG(seen.st_mode):
            with open(path, "rb") as file:
                shown += [seen.st_size, hashlib.sha256(file.read()).hexdigest()]
        if stat.S_ISLNK(seen.st_mode):
            shown += [os.readlink(path)]
        names = sorted(name for name in os.listxattr(path, follow_symlinks=False) if not name.startswith("security."))
        shown += [(name, os.getxattr(path, name, follow_symlinks=False)) for name in names]
        print(path, *shown)


def bind(path):
    socket.socket(socket.AF_UNIX).bind(path)


{"make": make, "socket": bind, "show": show}[sys.argv[1]](sys.argv[2])
