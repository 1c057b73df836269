/** read, write, lseek, and what writing does to a file. */
import { changing, group } from "../table.ts"

export const io = group("io", (add) => {
  add(
    "write at the position, read from it",
    `
    a = open f O_RDWR|O_CREAT 0644
    write $a hello => 5
    write $a world => 5
    lseek $a 0 SEEK_CUR => 10
    read $a 10 => 0
    lseek $a 2 SEEK_SET => 2
    read $a 3 => data=llo
    read $a 100 => data=world
    lseek $a -1 SEEK_END => 9
    write $a ! => 1
    get f => data=helloworl!
  `
  )
  add(
    "lseek: beyond the end is fine, before the beginning EINVAL",
    `
    put f hello
    a = open f O_RDWR
    lseek $a 100 SEEK_SET => 100
    read $a 1 => 0
    stat f => size=5
    lseek $a -101 SEEK_CUR => EINVAL
    lseek $a -6 SEEK_END => EINVAL
    lseek $a 0 9 => EINVAL
    write $a x => 1
    stat f => size=101
    mkfifo p
    p = open p O_RDWR
    lseek $p 0 SEEK_SET => ESPIPE
  `
  )
  add(
    "writing changes mtime and ctime; nothing written changes nothing",
    `
    put f hello
    a = open f O_RDWR
    ${changing("f", ["mtime", "ctime"], "write $a x 0")}
    ${changing("f", ["mtime", "ctime"], "write $a x 10")}
    ${changing("f", [], "write $a '' 0 => 0")}
  `
  )
  add(
    "a gap is zero",
    `
    a = open f O_RDWR|O_CREAT 0644
    write $a x 100000 => 1
    sum $a 100000 0 => value=100000 zeros=1
    read $a 2 99999 => data=%00x
    stat f => size=100001 blocks<=16
  `
  )
  for (const length of [1, 4095, 4096, 4097, 65536, 131071, 131073, 1048577]) {
    add(
      `${length} bytes there and back, at any alignment`,
      `
      a = open f O_RDWR|O_CREAT 0644
      ${[0, 1, 4095, 131072 - 7]
        .map(
          (offset) => `
        ftruncate $a 0
        fill $a ${length} 171 ${offset} => ${length}
        b = sum $a ${length} ${offset}
        stat f => size=${offset + length}
        sum $a ${offset === 0 ? 1 : offset} 0 => zeros=${offset === 0 ? 0 : 1}
        c = open g O_RDWR|O_CREAT|O_TRUNC 0644
        fill $c ${length} 171 0
        sum $c ${length} 0 => hash=$b.hash
      `
        )
        .join("")}
    `
    )
  }
  add("writev is one write", "a = open f O_RDWR|O_CREAT 0644\nwritev $a hello world => 10\nget f => data=helloworld")
  add(
    "one descriptor's position is shared with its duplicate, not with another opening's",
    `
    put f hello
    a = open f O_RDONLY
    b = dup $a
    c = open f O_RDONLY
    read $a 2 => data=he
    read $b 2 => data=ll
    read $c 2 => data=he
  `
  )
  add(
    "another process reads what was written at once",
    `
    a = open f O_RDWR|O_CREAT 0644
    write $a one
    user: get f => data=one
    b = user: open f O_RDONLY
    write $a two
    user: read $b 10 0 => data=onetwo
    fsync $a
    fdatasync $a
    user: fstat $b => size=6
  `
  )
  add(
    "O_DIRECT there and back",
    `
    a = open f O_RDWR|O_CREAT 0644
    fill $a 8192 7 0
    fsync $a
    b = open f O_RDWR|O_DIRECT
    fstat $b => size=8192
  `
  )
  add("O_SYNC", "a = open f O_RDWR|O_CREAT|O_SYNC 0644\nwrite $a x => 1\nget f => data=x")
  add(
    "at 2^62, and not at 2^63",
    `
    a = open f O_RDWR|O_CREAT 0644
    write $a x 9223372036854775807 => EINVAL|EFBIG
    read $a 1 4611686018427387904 => 0
    write $a x -1 => EINVAL
    read $a 1 -1 => EINVAL
    stat f => size=0
  `
  )
  add("poll: a file is always ready", "put f x\na = open f O_RDWR\npoll $a POLLIN|POLLOUT => revents=5")
  add("fsync of a directory", "mkdir d\nd = open d O_RDONLY\nfsync $d\nfdatasync $d")
  add(
    "blocks are counted as they are written",
    `
    a = open f O_RDWR|O_CREAT 0644
    stat f => blocks=0
    fill $a 4096 1 0
    fsync $a
    stat f => blocks=8
    fill $a 4096 1 40960
    fsync $a
    stat f => blocks=16
  `
  )
})

export const privileges = group("privileges", (add) => {
  for (const [what, write] of [
    ["write", "write $a x"],
    ["pwrite", "write $a x 3"],
    ["append", "setfl $a O_APPEND\nuser: write $a x"],
    ["truncate", "ftruncate $a 1"],
    ["fallocate", "fallocate $a 0 0 100"],
    ["open with O_TRUNC", "open f O_WRONLY|O_TRUNC"],
    ["punch hole", "fallocate $a FALLOC_FL_PUNCH_HOLE|FALLOC_FL_KEEP_SIZE 0 1"],
    ["copy_file_range", "copy $a 0 $a 100 3"]
  ] as const) {
    for (const [mode, after] of [
      ["04777", "0777"],
      ["02777", "0777"],
      ["06777", "0777"],
      ["01777", "01777"],
      ["04767", "0767"],
      ["02767", "0767"]
    ] as const) {
      add(
        `${what} by another user than root: ${mode} becomes ${after}`,
        `
        put f hello
        chmod f 0777
        a = user: open f O_RDWR
        chmod f ${mode}
        user: ${write}
        stat f => mode=${after}
      `
      )
    }
    add(
      `${what} by a member of the group that may not execute: set-group-ID stays`,
      `
      put f hello
      chown f 0 65531
      chmod f 0777
      a = mate: open f O_RDWR
      chmod f 06767
      ${write.startsWith("open") ? `mate: ${write}` : `mate: ${write.replaceAll("user:", "mate:")}`}
      stat f => mode=02767
    `
    )
    add(
      `${what} by root: the mode stays`,
      `
      put f hello
      a = open f O_RDWR
      chmod f 06777
      ${write.replaceAll("user: ", "")}
      stat f => mode=06777
    `
    )
    add(
      `${what} by the owner: set-user-ID goes too`,
      `
      user: put f hello
      a = user: open f O_RDWR
      user: chmod f 06755
      user: ${write}
      stat f => mode=0755
    `
    )
  }
  add(
    "a set-user-ID program's bits are not lost by reading, linking, renaming, times",
    `
    user: put f x
    user: chmod f 06755
    user: get f
    user: link f g
    user: rename f h
    user: utimens g 1.0 1.0
    stat h => mode=06755
  `
  )
  add(
    "file capabilities are lost by writing, also by root",
    `
    put f hello
    setxattr f security.capability %01%00%00%02%01%00%00%00%00%00%00%00%00%00%00%00%00%00%00%00
    getxattr f security.capability 0 => 20
    a = open f O_RDWR
    write $a x
    getxattr f security.capability => ENODATA
    setxattr f security.capability %01%00%00%02%01%00%00%00%00%00%00%00%00%00%00%00%00%00%00%00
    chown f 1 1
    getxattr f security.capability => ENODATA
    setxattr f security.capability %01%00%00%02%01%00%00%00%00%00%00%00%00%00%00%00%00%00%00%00
    ftruncate $a 1
    getxattr f security.capability => ENODATA
    user: setxattr f security.capability x => EPERM|EINVAL
  `
  )
  add(
    "supplementary groups count",
    `
    put f x
    chown f 0 65531
    chmod f 0660
    mate: open f O_RDWR
    user: open f O_RDWR => EACCES
    make dir d 0770
    chown d 0 65531
    mate: put d/f x
    user: put d/g x => EACCES
    stat d/f => gid=65532
  `
  )
  add(
    "the first class that matches decides, the owner's even when it allows less",
    `
    put f x
    chown f 65532 65533
    chmod f 0077
    mate: open f O_RDONLY => EACCES
    chmod f 0707
    user: open f O_RDONLY => EACCES
    other: open f O_RDONLY
  `
  )
})
