/** Listing directories, and what statvfs and statx tell. */
import { fileTypes, group } from "../table.ts"

const many = (count: number, call: (name: string) => string): string =>
  Array.from({ length: count }, (_, i) => call(`n${String(i).padStart(3, "0")}`)).join("\n")
const names = (count: number, keep: (i: number) => boolean = () => true): string =>
  Array.from({ length: count }, (_, i) => i)
    .filter(keep)
    .map((i) => `n${String(i).padStart(3, "0")}`)
    .join(",")

export const directories = group("readdir", (add) => {
  add(
    "an empty directory has . and ..",
    "mkdir d\nreaddir d => value=0 dots=2\na = open d O_RDONLY\ngetdents $a 4096 => 2\ngetdents $a 4096 => 0"
  )
  for (const type of fileTypes) {
    add(
      `a ${type} is listed with its type and its inode`,
      `
      mkdir d
      make ${type} d/n
      n = lstat d/n
      readdir d => names=n
      a = open d O_RDONLY
      x = getdents $a 4096 => value=3
      y = lstat d/n
      lstat d/n => ino=$n.ino
    `
    )
  }
  add(
    "five hundred names, each once",
    `
    mkdir d
    chdir d
    ${many(500, (name) => `make regular ${name}`)}
    readdir . => value=500 names=${names(500)}
    ${many(500, (name) => `unlink ${name}`)}
    readdir . => 0
  `
  )
  add(
    "names of 255 bytes, and of one",
    `
    mkdir d
    ${"abcdefghij"
      .split("")
      .map((letter) => `put d/${letter.repeat(255)} x\nput d/${letter} x`)
      .join("\n")}
    readdir d => 20
  `
  )
  add(
    "what is removed while it is listed is not repeated, nor is another left out",
    `
    mkdir d
    chdir d
    ${many(60, (name) => `make regular ${name}`)}
    a = open . O_RDONLY
    getdents $a 1000
    ${many(60, (name) => `unlink ${name}`)}
    readdir . => 0
    put new x
    lseek $a 0 SEEK_SET
    getdents $a 32768 => 3
  `
  )
  add(
    "what comes while it is listed hides nothing",
    `
    mkdir d
    chdir d
    ${many(60, (name) => `make regular ${name}`)}
    a = open . O_RDONLY
    first = getdents $a 400
    put other x
    put another x
    unlink other
    readdir . => 61
    readdir . => names=another,${names(60)}
  `
  )
  add(
    "rewound it begins anew, and shows what has come",
    `
    mkdir d
    put d/a x
    f = open d O_RDONLY
    getdents $f 4096 => 3
    getdents $f 4096 => 0
    put d/b x
    lseek $f 0 SEEK_SET
    getdents $f 4096 => 4
  `
  )
  add(
    "a place in it can be gone back to",
    `
    mkdir d
    chdir d
    ${many(100, (name) => `make regular ${name}`)}
    a = open . O_RDONLY
    one = getdents $a 500
    two = getdents $a 500
    lseek $a $one.off SEEK_SET
    getdents $a 500 => value=$two.value names=$two.names off=$two.off
    lseek $a 0 SEEK_SET
    getdents $a 500 => names=$one.names
  `
  )
  add(
    "a place is good after its neighbours were removed",
    `
    mkdir d
    chdir d
    ${many(40, (name) => `make regular ${name}`)}
    a = open . O_RDONLY
    one = getdents $a 600
    lseek $a $one.off SEEK_SET
    two = getdents $a 32768
    ${many(10, (name) => `unlink ${name}`)}
    lseek $a $one.off SEEK_SET
    getdents $a 32768 => value<=$two.value
  `
  )
  add("EINVAL when not even one name fits", "mkdir d\nput d/name x\na = open d O_RDONLY\ngetdents $a 10 => EINVAL")
  add("ENOTDIR for what is none", "put f x\nreaddir f => ENOTDIR\na = open f O_RDONLY\ngetdents $a 4096 => ENOTDIR")
  add(
    "two who list do not disturb each other",
    `
    mkdir d
    chdir d
    ${many(100, (name) => `make regular ${name}`)}
    a = open . O_RDONLY
    b = open . O_RDONLY
    x = getdents $a 500
    y = getdents $b 500
    getdents $a 500 => off!=$x.off
    lseek $b 0 SEEK_SET
    getdents $b 500 => names=$x.names
  `
  )
  add(
    "after a rename both directories show it",
    "mkdir d\nmkdir e\nput d/a x\nreaddir d => names=a\nreaddir e => names=\nrename d/a e/b\nreaddir d => names=\nreaddir e => names=b"
  )
  add(
    "after an exchange the types are exchanged",
    "mkdir d\nput d/a x\nmkdir d/b\nreaddir d => names=a,b\nrenameat2 d/a d/b RENAME_EXCHANGE\nreaddir d => names=a,b\nlstat d/a => type=dir\nlstat d/b => type=regular"
  )
  add(
    "a directory removed and made again is empty",
    "mkdir d\nput d/f x\nreaddir d => names=f\nunlink d/f\nrmdir d\nmkdir d\nreaddir d => names="
  )
  add(
    "link counts of many subdirectories",
    `mkdir d\nchdir d\n${many(50, (name) => `mkdir ${name}`)}\nstat . => nlink=52\n${many(50, (name) => `rmdir ${name}`)}\nstat . => nlink=2`
  )
  add(
    "a hundred levels deep",
    `
    ${Array.from({ length: 100 }, () => "mkdir d\nchdir d").join("\n")}
    put f x
    ${Array.from({ length: 100 }, () => "chdir ..").join("\n")}
    get ${"d/".repeat(100)}f => data=x
  `
  )
})

export const status = group("stat", (add) => {
  for (const type of fileTypes) {
    add(
      `statx of a ${type} agrees with lstat, and knows its birth`,
      `
      make ${type} n
      s = lstat n
      statx n => mode=$s.mode ino=$s.ino size=$s.size ctime=$s.ctime nlink=$s.nlink mask=0xfff btime>0.000000000
    `
    )
    add(
      `fstat of a ${type} agrees with lstat`,
      `
      make ${type} n
      s = lstat n
      p = open n O_PATH|O_NOFOLLOW
      fstat $p => type=${type} ino=$s.ino mode=$s.mode nlink=$s.nlink size=$s.size mtime=$s.mtime dev=$s.dev
    `
    )
  }
  add(
    "an inode's number stays, and is nobody else's",
    `
    put a x
    put b x
    a = stat a
    stat b => ino!=$a.ino dev=$a.dev
    rename a c
    chmod c 0600
    stat c => ino=$a.ino
    f = open c O_RDONLY
    unlink c
    put d x
    stat d => ino!=$a.ino
    fstat $f => ino=$a.ino
  `
  )
  add(
    "statvfs: what it tells can be true",
    `
    s = statvfs .
    statvfs . => bsize>=512 frsize>=512 namemax=255 blocks>=$s.bfree bfree>=$s.bavail files>=$s.ffree files>0
    put f x
    statvfs f => namemax=255 blocks=$s.blocks
  `
  )
  add(
    "statvfs: files and blocks that are used are no longer free",
    `
    a = open f O_RDWR|O_CREAT 0644
    s = statvfs .
    fill $a 1048576 1 0
    fsync $a
    statvfs . => bfree<$s.bfree
  `,
    { ofAllOnTheDisk: true }
  )
  add(
    "sizes: of a symlink its target's, of a fifo and a device none",
    "symlink target l\nlstat l => size=6\nmake fifo p\nlstat p => size=0 blocks=0\nmake char c\nlstat c => size=0 blocks=0"
  )
})
