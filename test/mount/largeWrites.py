"""Writes, cuts and punches two files at random, most writes as large as requests are, and prints their digests as they are in storage."""
import hashlib, os, random, subprocess, sys

folder, seed = sys.argv[1], int(sys.argv[2])
random.seed(seed)
chunk, extent = 1 << 17, 1 << 20
most = 12 * extent
files = [os.open(os.path.join(folder, name), os.O_RDWR | os.O_CREAT) for name in ("one", "two")]

def size_of_write():
    return random.choice([extent, extent, extent, 2 * extent, 3 * extent + 5, extent - 1, extent + 1, chunk, 4096, random.randrange(1, 2 * extent)])

def offset_of_write():
    return random.choice([random.randrange(12) * extent, random.randrange(96) * chunk, random.randrange(most)])

def digest(file):
    # What was written is in the kernel's cache as well: it must not answer.
    os.fsync(file)
    os.posix_fadvise(file, 0, 0, os.POSIX_FADV_DONTNEED)
    result = hashlib.sha256()
    at = 0
    while data := os.pread(file, extent, at):
        result.update(data)
        at += len(data)
    return f"{at} {result.hexdigest()}"

for step in range(400):
    file = random.choice(files)
    what = random.random()
    if what < 0.85:
        at = offset_of_write()
        data = random.randbytes(size_of_write())
        while data:
            done = os.pwrite(file, data, at)
            at += done
            data = data[done:]
    elif what < 0.93:
        os.ftruncate(file, random.choice([0, random.randrange(most), random.randrange(12) * extent]))
    elif what < 0.95:
        name = os.path.join(folder, ("one", "two")[files.index(file)])
        subprocess.run(["fallocate", "--punch-hole", "--offset", str(random.randrange(most)), "--length", str(random.randrange(1, 3 * extent)), name], check=True)
    else:
        print(step, *(digest(each) for each in files))
print(*(digest(each) for each in files))
