"""Changes by names that others have moved or removed a moment ago: staleNames.py MOUNTPOINT FOLDER.

The kernel trusts a name for a second. An error is right, and so is what was meant; a success that is lost is not. Says
what is wrong; exit 0 when nothing is.
"""
import os
import sys

at, folder = sys.argv[1:]
wrong = []
count = 0


def put(path, text):
    with open(path, "w") as file:
        file.write(text)


def get(path):
    try:
        with open(path) as file:
            return file.read()
    except OSError as error:
        return type(error).__name__


def removed(path):
    os.unlink(path)


def replaced(path):
    put(path + "-new", "new")
    os.rename(path + "-new", path)


def made_anew(path):
    os.unlink(path)
    put(path, "new")


def rotated(path):
    os.rename(path, path + "-old")
    put(path, "new")


def writing(flags):
    def write(path):
        descriptor = os.open(path, flags, 0o644)
        os.write(descriptor, b"WRITTEN")
        os.close(descriptor)
    return write


def shows_written(path):
    return "WRITTEN" in get(path)


def truncating(path):
    os.truncate(path, 1)


CHANGES = [
    ("create", writing(os.O_WRONLY | os.O_CREAT | os.O_TRUNC), shows_written),
    ("append", writing(os.O_WRONLY | os.O_CREAT | os.O_APPEND), shows_written),
    ("write", writing(os.O_RDWR), shows_written),
    ("truncate", truncating, lambda path: os.path.getsize(path) == 1),
    ("chmod", lambda path: os.chmod(path, 0o640), lambda path: os.stat(path).st_mode & 0o777 == 0o640),
    ("chown", lambda path: os.chown(path, 4001, 4001), lambda path: os.stat(path).st_uid == 4001),
    ("utime", lambda path: os.utime(path, (5, 6)), lambda path: os.stat(path).st_mtime == 6),
    ("setxattr", lambda path: os.setxattr(path, "user.name", b"value"), lambda path: os.listxattr(path) == ["user.name"]),
]

for name, change, happened in CHANGES:
    for behind in (removed, replaced, made_anew, rotated):
        count += 1
        below, above = f"{folder}/file{count}", f"{at}/file{count}"
        put(below, "old")
        get(above)
        behind(below)
        try:
            change(above)
        except OSError:
            continue
        if not os.path.exists(below) or not happened(below):
            wrong.append(f"{name} of a file that was {behind.__name__} is lost")


def swapped(directory):
    os.rename(directory, directory + "-old")
    os.mkdir(directory)
    put(directory + "/there", "new")


def moved_above(directory):
    swapped(os.path.dirname(directory))
    os.mkdir(directory)
    put(directory + "/there", "new")


IN_DIRECTORIES = [
    ("create", lambda path: writing(os.O_WRONLY | os.O_CREAT | os.O_EXCL)(path + "/made"), "made"),
    ("mkdir", lambda path: os.mkdir(path + "/made"), "made"),
    ("mknod", lambda path: os.mkfifo(path + "/made"), "made"),
    ("symlink", lambda path: os.symlink("target", path + "/made"), "made"),
    ("link", lambda path: os.link(path + "/there", path + "/made"), "made"),
    ("rename", lambda path: os.rename(path + "/there", path + "/made"), "made"),
    ("write", lambda path: writing(os.O_WRONLY)(path + "/there"), None),
]
for name, change, made in IN_DIRECTORIES:
    for behind in (swapped, moved_above):
        count += 1
        below, above = f"{folder}/top{count}/dir", f"{at}/top{count}/dir"
        os.makedirs(below)
        put(below + "/there", "old")
        get(above + "/there")
        behind(below)
        try:
            change(above)
        except OSError:
            continue
        if not (os.path.lexists(f"{below}/{made}") if made else shows_written(below + "/there")):
            wrong.append(f"{name} in a directory that was {behind.__name__} is lost")

for behind in (swapped, moved_above):
    count += 1
    below, above = f"{folder}/top{count}/dir", f"{at}/top{count}/dir"
    os.makedirs(below)
    put(below + "/there", "old")
    get(above + "/there")
    behind(below)
    old = f"{below}-old/there" if behind is swapped else f"{folder}/top{count}-old/dir/there"
    try:
        os.unlink(above + "/there")
    except OSError:
        continue
    if not os.path.exists(old) or os.path.exists(below + "/there"):
        wrong.append(f"unlink in a directory that was {behind.__name__} took another file away")

# Who has no name to come by is let in: by descriptors, and from a working directory.
put(f"{folder}/open", "text")
descriptor = os.open(f"{at}/open", os.O_RDWR)
os.unlink(f"{folder}/open")
os.fchmod(descriptor, 0o600)
os.ftruncate(descriptor, 2)
os.utime(descriptor, (5, 6))
os.setxattr(descriptor, "user.name", b"value")
for flags in (os.O_RDWR, os.O_WRONLY | os.O_TRUNC):
    again = os.open(f"/proc/self/fd/{descriptor}", flags)
    os.write(again, b"again")
    os.close(again)
if os.pread(descriptor, 10, 0) != b"again":
    wrong.append("what was written to an open file without a name is not in it")
os.mkdir(f"{folder}/cwd")
os.chdir(f"{at}/cwd")
directory = os.open(".", os.O_RDONLY)
os.rename(f"{folder}/cwd", f"{folder}/cwd-moved")
for number in range(3):
    put(f"file{number}", "text")
    os.chmod(f"file{number}", 0o600)
os.mkdir("dir")
os.rename("file0", "dir/file")
os.unlink("file1")
os.fchmod(directory, 0o700)
os.rename(f"{at}/cwd-moved", f"{at}/cwd-back")
put("file3", "text")
if sorted(os.listdir(f"{folder}/cwd-back")) != ["dir", "file2", "file3"]:
    wrong.append(f"a working directory that was moved has {os.listdir(folder + '/cwd-back')}")

print("\n".join(wrong))
sys.exit(1 if wrong else 0)
