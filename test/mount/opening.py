"""What files are without their being opened. Arguments: the mountpoint."""
import os
import sys

os.chdir(sys.argv[1])
os.mkdir("folder")


def write(name, data, flags=0):
    fd = os.open(name, os.O_WRONLY | os.O_CREAT | flags, 0o600)
    assert os.write(fd, data) == len(data)
    return fd


def content(name):
    with open(name, "rb") as file:
        return file.read()


for i in range(20):
    os.close(write(f"folder/f{i}", b"%d" % i, os.O_EXCL))
assert sorted(os.listdir("folder")) == sorted(f"f{i}" for i in range(20))
assert os.stat("folder/f3").st_mode == 0o100600 and content("folder/f3") == b"3"

# The list that the kernel keeps of a folder is never an old one.
os.unlink("folder/f3")
assert "f3" not in os.listdir("folder")
os.close(write("folder/new", b"new"))
os.rename("folder/f4", "folder/other")
names = os.listdir("folder")
assert "new" in names and "other" in names and "f4" not in names

try:
    os.open("folder/new", os.O_WRONLY | os.O_CREAT | os.O_EXCL)
    raise AssertionError("made twice")
except FileExistsError:
    pass
os.close(write("folder/new", b"er", os.O_TRUNC))
assert content("folder/new") == b"er"
os.close(write("folder/new", b"!", os.O_APPEND))
assert content("folder/new") == b"er!"

# Without a name it is there for those who have it open, and for nobody else.
fd = os.open("folder/new", os.O_RDWR)
os.unlink("folder/new")
assert os.pread(fd, 10, 0) == b"er!" and os.fstat(fd).st_nlink == 0
assert os.pwrite(fd, b"ER", 0) == 2 and os.pread(fd, 10, 0) == b"ER!"
os.ftruncate(fd, 1)
assert os.fstat(fd).st_size == 1
os.close(fd)

# Read only is read only, and a mode that forbids what is asked for now says so later.
fd = os.open("folder/only", os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o000)
assert os.write(fd, b"x") == 1
os.close(fd)
fd = os.open("folder/other", os.O_RDONLY)
try:
    os.write(fd, b"x")
    raise AssertionError("written")
except OSError:
    pass
os.close(fd)

fd = os.open("folder", os.O_TMPFILE | os.O_RDWR, 0o600)
assert os.write(fd, b"tmp") == 3 and os.pread(fd, 3, 0) == b"tmp"
os.close(fd)
