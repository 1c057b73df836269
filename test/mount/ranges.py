"""ranges.py MOUNTED ORIGINAL SEED TIMES: reads pieces of a mounted file at random; they are those of the original."""
import os, random, sys

mounted, original, seed, times = sys.argv[1], sys.argv[2], int(sys.argv[3]), int(sys.argv[4])
rng = random.Random(seed)
with open(original, "rb") as file:
    content = file.read()
fd = os.open(mounted, os.O_RDONLY)


def check(offset, length):
    want = content[offset:offset + length]
    got = os.pread(fd, length, offset)
    # A read may be shorter than asked for only at the end of the file.
    while got and len(got) < len(want):
        more = os.pread(fd, length - len(got), offset + len(got))
        if not more:
            break
        got += more
    if got != want:
        sys.exit(f"seed {seed}: {length} bytes at {offset} differ ({len(got)} came, {len(want)} are there)")


size = len(content)
check(0, size + 1)
for _ in range(times):
    check(rng.randrange(size + 4097), rng.choice([1, 4096, 40_000, 131_072, 1 << 20, rng.randrange(1, 1 << 21)]))
print("same")
