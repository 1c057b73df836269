"""What a mount tells of files whose attributes change by more than was asked for: sideEffects.py MOUNTPOINT FOLDER, as root.

After each change, and at once, the mount must say what the directory below says. Exit 0 when it does.
"""
import ctypes
import mmap
import os
import struct
import sys
import time

at, folder = sys.argv[1:]
wrong = []
USER = 4001
libc = ctypes.CDLL(None, use_errno=True)


# <linux/stat.h>: what is asked for, and where it is in struct statx. The kernel asks for each only when it is wanted.
FIELDS = {"mode": (2, "H", 28), "nlink": (4, "I", 16), "uid": (8, "I", 20), "gid": (16, "I", 24), "size": (512, "Q", 40), "blocks": (1024, "Q", 48),
          "mtime": (64, "qI", 112), "ctime": (128, "qI", 96)}


def attributes(path):
    found = {}
    for name, (mask, form, offset) in FIELDS.items():
        buffer = ctypes.create_string_buffer(256)
        if libc.statx(-100, path.encode(), 0, mask, buffer) != 0:
            raise OSError(ctypes.get_errno(), path)
        found[name] = struct.unpack_from(form, buffer, offset)
    return found


def as_user(call, *args, groups=()):
    child = os.fork()
    if child == 0:
        os.setgroups(groups)
        os.setgid(USER)
        os.setuid(USER)
        try:
            call(*args)
        except BaseException as error:
            print(f"{call.__name__}: {error}", flush=True)
            os._exit(1)
        os._exit(0)
    if os.waitpid(child, 0)[1] != 0:
        wrong.append(f"{call.__name__} failed")


def as_root(call, *args, groups=()):
    call(*args)


def put(path, flags, data=b"more"):
    descriptor = os.open(path, flags)
    if flags & os.O_DIRECT:
        block = mmap.mmap(-1, 4096)
        os.pwritev(descriptor, [block], 0)
    else:
        os.write(descriptor, data)
    os.close(descriptor)


def write(path):
    put(path, os.O_WRONLY)


def append(path):
    put(path, os.O_WRONLY | os.O_APPEND)


def write_direct(path):
    put(path, os.O_RDWR | os.O_DIRECT)


def write_empty(path):
    put(path, os.O_WRONLY | os.O_TRUNC)


def make(path):
    """What is new is written in another way than what was there."""
    os.unlink(path)
    descriptor = os.open(path, os.O_CREAT | os.O_EXCL | os.O_WRONLY, 0o4777)
    os.fchmod(descriptor, 0o6777)
    os.fstat(descriptor)
    os.write(descriptor, b"text")
    os.close(descriptor)


def truncate(path):
    os.truncate(path, 2)


def truncate_open(path):
    descriptor = os.open(path, os.O_RDWR)
    os.ftruncate(descriptor, 3)
    os.close(descriptor)


def allocate(path):
    descriptor = os.open(path, os.O_RDWR)
    os.posix_fallocate(descriptor, 0, 100_000)
    os.close(descriptor)


def copy(path):
    source = os.open(f"{at}/source", os.O_RDONLY)
    descriptor = os.open(path, os.O_RDWR)
    os.copy_file_range(source, descriptor, 5000)
    os.close(descriptor)
    os.close(source)


def write_map(path):
    descriptor = os.open(path, os.O_RDWR)
    mapped = mmap.mmap(descriptor, 8192)
    os.close(descriptor)
    mapped[4096:4100] = b"text"
    mapped.flush()
    mapped.close()


def write_map_late(path):
    descriptor = os.open(path, os.O_RDWR)
    mapped = mmap.mmap(descriptor, 8192)
    os.close(descriptor)
    # What is known of it meanwhile is not what it will be.
    os.stat(path)
    mapped[0:4] = b"text"
    os.stat(path)
    time.sleep(0.02)
    mapped[4096:4100] = b"text"
    mapped.flush()
    mapped.close()


def change_owner(path):
    os.chown(path, -1, USER)


def set_acl(path):
    os.setxattr(path, "system.posix_acl_access", struct.pack("<I" + "HHI" * 3, 2, 1, 7, 0xFFFFFFFF, 4, 1, 0xFFFFFFFF, 32, 4, 0xFFFFFFFF))


def set_attribute(path):
    os.setxattr(path, "user.name", b"value")


def remove_attribute(path):
    os.setxattr(path, "user.name", b"value")
    os.removexattr(path, "user.name")


def link(path):
    os.link(path, path + "-link")
    os.unlink(path + "-link")


os.chmod(folder, 0o777)
with open(f"{folder}/source", "wb") as source:
    source.write(b"x" * 10_000)
writers = [make, write, append, write_direct, write_empty, truncate, truncate_open, allocate, copy, write_map, write_map_late]
modes = (0o4777, 0o6777, 0o2767, 0o6767, 0o777)
cases = [(call, who, mode, []) for call in writers for who in (as_root, as_user) for mode in modes]
cases += [(call, as_user, 0o2767, [3000]) for call in writers]
cases += [(call, as_root, mode, []) for call in (change_owner, set_acl, set_attribute, remove_attribute, link) for mode in modes]
for number, (call, who, mode, groups) in enumerate(cases):
    name = f"{call.__name__}-{who.__name__}-{mode:o}-{number}"
    with open(f"{folder}/{name}", "wb") as file:
        file.write(b"text")
        file.truncate(8192)
    os.chown(f"{folder}/{name}", 0, 3000)
    os.chmod(f"{folder}/{name}", mode)
    # The kernel trusts what it sees here for a second.
    before = attributes(f"{at}/{name}")
    if before["mode"][0] & 0o7777 != mode:
        wrong.append(f"{name}: {before['mode'][0]:o} before")
    time.sleep(0.015)
    who(call, f"{at}/{name}", groups=groups)
    seen, there = attributes(f"{at}/{name}"), attributes(f"{folder}/{name}")
    if call is not set_acl and there["ctime"] == before["ctime"]:
        wrong.append(f"{name}: nothing has changed")
    different = [f"{key} {value}, not {there[key]}" for key, value in seen.items() if value != there[key]]
    if different:
        wrong.append(f"{name}: {'; '.join(different)}")

print("\n".join(wrong))
sys.exit(1 if wrong else 0)
