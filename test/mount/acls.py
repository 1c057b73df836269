"""POSIX ACLs (acl(5)) through a mount: acls.py MOUNTPOINT FOLDER, as root. Says what is wrong; exit 0 when nothing is.

The attributes are written as bytes, so that no program of the `acl` package is needed.
"""
import errno
import os
import stat
import struct
import sys

at, folder = sys.argv[1:]
ACCESS, DEFAULT = "system.posix_acl_access", "system.posix_acl_default"
# <linux/posix_acl_xattr.h>
USER_OBJ, USER, GROUP_OBJ, GROUP, MASK, OTHER = 1, 2, 4, 8, 16, 32
NO_ID = 0xFFFFFFFF
wrong = []


def check(name, got, wanted):
    if got != wanted:
        wrong.append(f"{name}: {got!r}, not {wanted!r}")


def acl(*entries):
    """Entries in the order of their tags, each (tag, permissions) or (tag, permissions, id)."""
    return struct.pack("<I", 2) + b"".join(struct.pack("<HHI", tag, perm, *(ids or [NO_ID])) for tag, perm, *ids in entries)


def entries(value):
    return [struct.unpack_from("<HHI", value, offset) for offset in range(4, len(value), 8)]


def error_of(call, *args):
    try:
        call(*args)
    except OSError as error:
        return errno.errorcode[error.errno]
    return None


def as_user(uid, gid, call, groups=()):
    """What `call` answers in a process of that user's: None, an errno's name."""
    reading, writing = os.pipe()
    child = os.fork()
    if child == 0:
        os.setgroups(groups)
        os.setgid(gid)
        os.setuid(uid)
        os.write(writing, (error_of(call) or "").encode())
        os._exit(0)
    os.close(writing)
    answer = os.read(reading, 100).decode()
    os.close(reading)
    os.waitpid(child, 0)
    return answer or None


def opening(path, flags):
    return lambda: os.close(os.open(path, flags))


def mode(path):
    return oct(stat.S_IMODE(os.stat(path).st_mode))


def make(name, permissions, uid=0, gid=0):
    path = f"{folder}/{name}"
    open(path, "w").close()
    os.chown(path, uid, gid)
    os.chmod(path, permissions)
    return f"{at}/{name}"


# Set in the folder: users named in an ACL are let in or kept out, whatever the mode's bits say.
granted = make("granted", 0o600, 0, 3000)
os.setxattr(f"{folder}/granted", ACCESS, acl((USER_OBJ, 6), (USER, 6, 4001), (GROUP_OBJ, 0), (GROUP, 4, 3001), (MASK, 6), (OTHER, 0)))
denied = make("denied", 0o644)
os.setxattr(f"{folder}/denied", ACCESS, acl((USER_OBJ, 6), (USER, 0, 4001), (GROUP_OBJ, 4), (MASK, 4), (OTHER, 4)))
check("a named user reads and writes", as_user(4001, 4001, opening(granted, os.O_RDWR)), None)
check("the owning group, which has no rights, behind the mask that has", as_user(4002, 3000, opening(granted, os.O_RDONLY)), "EACCES")
check("a named group reads", as_user(4002, 4002, opening(granted, os.O_RDONLY), [3001]), None)
check("a named group does not write", as_user(4002, 4002, opening(granted, os.O_RDWR), [3001]), "EACCES")
check("a stranger", as_user(4003, 4003, opening(granted, os.O_RDONLY)), "EACCES")
check("a user denied by name", as_user(4001, 4001, opening(denied, os.O_RDONLY)), "EACCES")
check("everybody else", as_user(4002, 4002, opening(denied, os.O_RDONLY)), None)

# Set through the mount: seen at once, by its mode too.
made = make("made", 0o600)
check("the mode before", mode(made), "0o600")
os.setxattr(made, ACCESS, acl((USER_OBJ, 6), (USER, 6, 4001), (GROUP_OBJ, 0), (MASK, 6), (OTHER, 0)))
check("the mask is the mode's group", mode(made), "0o660")
check("it is in the folder", os.getxattr(f"{folder}/made", ACCESS), os.getxattr(made, ACCESS))
check("it holds at once", as_user(4001, 4001, opening(made, os.O_RDWR)), None)
os.setxattr(made, ACCESS, acl((USER_OBJ, 7), (GROUP_OBJ, 5), (OTHER, 1)))
check("one that a mode can tell is the mode (cp -p)", mode(made), "0o751")
os.setxattr(made, ACCESS, acl((USER_OBJ, 6), (USER, 6, 4001), (GROUP_OBJ, 6), (MASK, 6), (OTHER, 4)))
os.chmod(made, 0o640)
check("chmod sets the mask", [entry for entry in entries(os.getxattr(made, ACCESS)) if entry[0] == MASK], [(MASK, 4, NO_ID)])
check("and the mask holds", as_user(4001, 4001, opening(made, os.O_RDWR)), "EACCES")
check("set by who does not own the file", as_user(4002, 4002, lambda: os.setxattr(made, ACCESS, acl((USER_OBJ, 7), (GROUP_OBJ, 7), (OTHER, 7)))), "EPERM")
os.removexattr(made, ACCESS)
check("removed", error_of(os.getxattr, made, ACCESS), "ENODATA")
check("nonsense", error_of(os.setxattr, made, ACCESS, b"\2\0\0\0" + b"\1\0"), "EINVAL")

# set-group-ID, when its setter is in the group, and when not.
shared = acl((USER_OBJ, 7), (USER, 4, 4009), (GROUP_OBJ, 5), (MASK, 5), (OTHER, 5))
for name, groups, wanted in (("outside", [], "0o755"), ("inside", [3000], "0o2755")):
    path = make(f"setgid-{name}", 0o2755, 4001, 3000)
    check(f"the mode before, {name}", mode(path), "0o2755")
    check(f"set by the owner {name} the group", as_user(4001, 4001, lambda path=path: os.setxattr(path, ACCESS, shared), groups), None)
    check(f"set-group-ID for who is {name} the group", mode(path), wanted)
    os.chmod(path, 0o2755)
    check(f"a default ACL on a file, {name}", as_user(4001, 4001, lambda path=path: os.setxattr(path, DEFAULT, shared), groups), "EACCES")
os.mkdir(f"{folder}/setgid-dir")
os.chown(f"{folder}/setgid-dir", 4001, 3000)
os.chmod(f"{folder}/setgid-dir", 0o2775)
check("a default ACL leaves the directory's own bits", as_user(4001, 4001, lambda: os.setxattr(f"{at}/setgid-dir", DEFAULT, shared)), None)
check("set-group-ID of a directory with a default ACL", mode(f"{at}/setgid-dir"), "0o2775")

# A default ACL takes the umask's place; without one, the umask counts.
os.mkdir(f"{folder}/plain")
os.mkdir(f"{folder}/inherits")
os.setxattr(f"{folder}/inherits", DEFAULT, acl((USER_OBJ, 7), (USER, 7, 4001), (GROUP_OBJ, 7), (MASK, 7), (OTHER, 0)))
for path in ("plain", "inherits"):
    os.chmod(f"{folder}/{path}", 0o777)


def creations(path):
    """What can be made in a directory, by its kind."""
    def unnamed(name):
        descriptor = os.open(path, os.O_TMPFILE | os.O_RDWR, 0o666)
        # With a descriptor given, Python calls linkat(2).
        os.link(f"/proc/self/fd/{descriptor}", f"{path}/{name}", src_dir_fd=descriptor, follow_symlinks=True)
        os.close(descriptor)

    yield "file", lambda name: os.close(os.open(f"{path}/{name}", os.O_CREAT | os.O_EXCL | os.O_WRONLY, 0o666))
    yield "fifo", lambda name: os.mkfifo(f"{path}/{name}", 0o666)
    yield "node", lambda name: os.mknod(f"{path}/{name}", stat.S_IFREG | 0o666)
    yield "dir", lambda name: os.mkdir(f"{path}/{name}", 0o777)
    yield "private", lambda name: os.mkdir(f"{path}/{name}", 0o700)
    yield "tmpfile", unnamed


for umask in (0o077, 0o022, 0):
    for path in ("plain", "inherits"):
        # The filesystem below says what is right.
        modes = {}
        for where in (folder, at):
            for kind, create in creations(f"{where}/{path}"):
                name = f"{kind}-{umask:o}-{'below' if where == folder else 'mount'}"
                before = os.umask(umask)
                create(name)
                os.umask(before)
                seen = mode(f"{where}/{path}/{name}")
                check(f"the mode of {path}/{name} below", mode(f"{folder}/{path}/{name}"), seen)
                if where == folder:
                    modes[kind] = seen
                else:
                    check(f"the mode of a {kind} in {path} with umask {umask:o}", seen, modes[kind])
        if path == "inherits":
            check("the mode of a file beneath a default ACL", modes["file"], "0o660")
            inherited = f"{path}/dir-{umask:o}-mount"
            check("a directory inherits the default ACL", os.getxattr(f"{at}/{inherited}", DEFAULT), os.getxattr(f"{folder}/{path}", DEFAULT))
            check("and applies it", as_user(4001, 4001, opening(f"{at}/{inherited}/new", os.O_RDWR | os.O_CREAT)), None)
        else:
            check("the mode of a file with the umask", modes["file"], oct(0o666 & ~umask))

print("\n".join(wrong))
sys.exit(1 if wrong else 0)
