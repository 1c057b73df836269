/** fallocate, posix_fallocate, SEEK_DATA and SEEK_HOLE, copy_file_range. */
import { changing, group } from "../table.ts"

const file = "a = open f O_RDWR|O_CREAT 0644"

export const space = group("fallocate", (add) => {
  for (const [name, allocate] of [
    ["fallocate", "fallocate $a 0"],
    ["posix_fallocate", "posix_fallocate $a"]
  ] as const) {
    add(
      `${name}: the size grows, the bytes are zero, the blocks are there`,
      `
      ${file}
      ${allocate} 0 10000
      stat f => size=10000 blocks>=24
      sum $a 10000 0 => value=10000 zeros=1
      ${allocate} 20000 1000
      stat f => size=21000
      ${allocate} 0 100
      stat f => size=21000
    `
    )
    add(
      `${name}: what is there stays`,
      `
      put f hello
      a = open f O_RDWR
      ${allocate} 0 3
      get f => data=hello
      ${allocate} 3 4
      get f => data=hello%00%00
    `
    )
    add(
      `${name}: EINVAL for nothing and for what is negative`,
      `
      ${file}
      ${allocate} 0 0 => EINVAL
      ${allocate} -1 10 => EINVAL
      ${allocate} 0 -10 => EINVAL
      ${allocate} 10 -5 => EINVAL
      stat f => size=0
    `
    )
    add(
      `${name}: EFBIG beyond the largest offset`,
      `${file}\n${allocate} 9223372036854775807 10 => EFBIG\n${allocate} 9223372036854775800 9223372036854775807 => EFBIG`
    )
    add(
      `${name}: EBADF for a descriptor that may not write, ENODEV or ESPIPE for what is no file`,
      `
      put f x
      r = open f O_RDONLY
      ${allocate.replace("$a", "$r")} 0 10 => EBADF
      mkfifo p
      p = open p O_RDWR
      ${allocate.replace("$a", "$p")} 0 10 => ESPIPE|ENODEV
      d = open . O_RDONLY
      ${allocate.replace("$a", "$d")} 0 10 => EBADF
      ${allocate.replace("$a", "9999")} 0 10 => EBADF
      stat f => size=1
    `
    )
    add(
      `${name}: mtime and ctime when the size changes`,
      `
      put f hello
      a = open f O_RDWR
      ${changing("f", ["mtime", "ctime"], `${allocate} 0 100`)}
    `
    )
    add(`${name}: on an unlinked file`, `${file}\nunlink f\n${allocate} 0 5000\nfstat $a => size=5000 nlink=0`)
  }
  add(
    "KEEP_SIZE: blocks, and the size as it was",
    `
    put f hello
    a = open f O_RDWR
    fallocate $a FALLOC_FL_KEEP_SIZE 0 20000
    stat f => size=5 blocks>=40
    get f => data=hello
    write $a x 10
    stat f => size=11
    get f => data=hello%00%00%00%00%00x
    ftruncate $a 11
    ftruncate $a 20000
    sum $a 20000 11 => value=19989 zeros=1
  `
  )
  add(
    "PUNCH_HOLE: zeros, the size as it was, blocks given back",
    `
    ${file}
    fill $a 40960 120 0
    fsync $a
    before = stat f
    fallocate $a FALLOC_FL_PUNCH_HOLE|FALLOC_FL_KEEP_SIZE 4096 8192
    stat f => size=40960 blocks<$before.blocks
    sum $a 8192 4096 => zeros=1
    read $a 2 4095 => data=x%00
    read $a 2 12287 => data=%00x
    fallocate $a FALLOC_FL_PUNCH_HOLE|FALLOC_FL_KEEP_SIZE 100 10
    read $a 12 99 => data=x%00%00%00%00%00%00%00%00%00%00x
    fallocate $a FALLOC_FL_PUNCH_HOLE|FALLOC_FL_KEEP_SIZE 40000 100000
    stat f => size=40960
    read $a 2 39999 => data=x%00
    fallocate $a FALLOC_FL_PUNCH_HOLE|FALLOC_FL_KEEP_SIZE 100000 1000
    stat f => size=40960
  `
  )
  add(
    "PUNCH_HOLE: without KEEP_SIZE it is refused",
    `${file}\nfill $a 10 1 0\nfallocate $a FALLOC_FL_PUNCH_HOLE 0 5 => EOPNOTSUPP\nsum $a 10 0 => zeros=0`
  )
  add(
    "PUNCH_HOLE changes mtime and ctime",
    `
    ${file}
    fill $a 10000 1 0
    ${changing("f", ["mtime", "ctime"], "fallocate $a FALLOC_FL_PUNCH_HOLE|FALLOC_FL_KEEP_SIZE 0 4096")}
  `
  )
  add(
    "ZERO_RANGE: zeros, the size grows unless KEEP_SIZE",
    `
    ${file}
    fill $a 10000 120 0
    fallocate $a FALLOC_FL_ZERO_RANGE 100 9000
    stat f => size=10000
    read $a 2 99 => data=x%00
    sum $a 9000 100 => zeros=1
    read $a 2 9099 => data=%00x
    fallocate $a FALLOC_FL_ZERO_RANGE 9500 1000
    stat f => size=10500
    read $a 2 9499 => data=x%00
    fallocate $a FALLOC_FL_ZERO_RANGE|FALLOC_FL_KEEP_SIZE 10000 10000
    stat f => size=10500
  `
  )
  add(
    "modes that exclude each other, or that nobody knows: EOPNOTSUPP",
    `
    ${file}
    fallocate $a FALLOC_FL_PUNCH_HOLE|FALLOC_FL_ZERO_RANGE|FALLOC_FL_KEEP_SIZE 0 4096 => EOPNOTSUPP|EINVAL
    fallocate $a 0x1000 0 4096 => EOPNOTSUPP
  `
  )
  add(
    "COLLAPSE_RANGE takes blocks out",
    `
    ${file}
    fill $a 4096 120 0
    fill $a 4096 121 4096
    fallocate $a FALLOC_FL_COLLAPSE_RANGE 0 4096
    stat f => size=4096
    read $a 1 0 => data=y
  `,
    { refusedOnFuse: "fuse_file_fallocate takes KEEP_SIZE, PUNCH_HOLE and ZERO_RANGE only" }
  )
  add(
    "INSERT_RANGE puts blocks in",
    `
    ${file}
    fill $a 4096 120 0
    fill $a 4096 121 4096
    fallocate $a FALLOC_FL_INSERT_RANGE 4096 4096
    stat f => size=12288
    sum $a 4096 4096 => zeros=1
  `,
    { refusedOnFuse: "fuse_file_fallocate takes KEEP_SIZE, PUNCH_HOLE and ZERO_RANGE only" }
  )
  add(
    "writing into what was allocated",
    `
    ${file}
    fallocate $a 0 0 1000000
    write $a x 500000
    sum $a 65536 0 => zeros=1
    read $a 3 499999 => data=%00x%00
    stat f => size=1000000
  `
  )
  add(
    "5 GiB sparse, punched in the middle",
    `
    ${file}
    ftruncate $a 5368709120
    write $a x 5000000000
    fallocate $a FALLOC_FL_PUNCH_HOLE|FALLOC_FL_KEEP_SIZE 4999999000 100000
    sum $a 1 5000000000 => zeros=1
    stat f => size=5368709120
  `
  )
})

export const holes = group("holes", (add) => {
  const layout = `
    ${file}
    ftruncate $a 1048576
    fill $a 4096 120 65536
    fill $a 4096 120 262144
    fsync $a
  `
  add(
    "SEEK_DATA and SEEK_HOLE find what was written",
    `
    ${layout}
    lseek $a 0 SEEK_DATA => 65536
    lseek $a 65536 SEEK_DATA => 65536
    lseek $a 65537 SEEK_DATA => 65537
    lseek $a 69632 SEEK_DATA => 262144
    lseek $a 266240 SEEK_DATA => ENXIO
    lseek $a 0 SEEK_HOLE => 0
    lseek $a 65536 SEEK_HOLE => 69632
    lseek $a 65540 SEEK_HOLE => 69632
    lseek $a 69632 SEEK_HOLE => 69632
    lseek $a 262144 SEEK_HOLE => 266240
    lseek $a 1048575 SEEK_HOLE => 1048575
  `
  )
  add(
    "they set the position",
    `${layout}\nlseek $a 0 SEEK_DATA => 65536\nread $a 1 => data=x\nlseek $a 0 SEEK_CUR => 65537`
  )
  add(
    "ENXIO at the end and beyond, and before the beginning",
    `
    ${layout}
    lseek $a 1048576 SEEK_DATA => ENXIO
    lseek $a 1048576 SEEK_HOLE => ENXIO
    lseek $a 2000000 SEEK_DATA => ENXIO
    lseek $a -1 SEEK_DATA => ENXIO|EINVAL
    lseek $a -1 SEEK_HOLE => ENXIO|EINVAL
  `
  )
  add(
    "a file without holes has one at its end",
    `
    put f hello
    a = open f O_RDWR
    lseek $a 0 SEEK_DATA => 0
    lseek $a 3 SEEK_DATA => 3
    lseek $a 0 SEEK_HOLE => 5
    lseek $a 4 SEEK_HOLE => 5
    lseek $a 5 SEEK_HOLE => ENXIO
  `
  )
  add(
    "an empty file has neither",
    "make regular f\na = open f O_RDWR\nlseek $a 0 SEEK_DATA => ENXIO\nlseek $a 0 SEEK_HOLE => ENXIO"
  )
  add(
    "a hole that was punched is found",
    `
    ${file}
    fill $a 1048576 120 0
    fsync $a
    lseek $a 0 SEEK_HOLE => 1048576
    fallocate $a FALLOC_FL_PUNCH_HOLE|FALLOC_FL_KEEP_SIZE 131072 131072
    lseek $a 0 SEEK_HOLE => 131072
    lseek $a 131072 SEEK_DATA => 262144
    lseek $a 262144 SEEK_HOLE => 1048576
  `
  )
  add(
    "far beyond 4 GiB",
    `
    ${file}
    write $a x 1099511627776
    fsync $a
    lseek $a 0 SEEK_DATA => 1099511627776
    lseek $a 0 SEEK_HOLE => 0
    lseek $a 1099511627776 SEEK_HOLE => 1099511627777
  `
  )
})

export const copies = group("copy_file_range", (add) => {
  const both = "put f hello\na = open f O_RDWR\nb = open g O_RDWR|O_CREAT 0644"
  add(
    "from one file to another, cut at the source's end",
    `
    ${both}
    copy $a 1 $b 0 3 => 3
    get g => data=ell
    copy $a 0 $b 3 100 => 5
    get g => data=ellhello
    copy $a 5 $b 0 10 => 0
    copy $a 100 $b 0 10 => 0
    copy $a 0 $b 20 2 => 2
    stat g => size=22
    read $b 14 8 => data=%00%00%00%00%00%00%00%00%00%00%00%00he
  `
  )
  add("within one file, apart", `${both}\ncopy $a 0 $a 5 5 => 5\nget f => data=hellohello\ncopy $a 0 $a 10 10 => 10`)
  add(
    "EINVAL where the ranges overlap",
    `${both}\n${changing("f", [], "copy $a 0 $a 1 3 => EINVAL\ncopy $a 2 $a 1 3 => EINVAL\ncopy $a 1 $a 1 1 => EINVAL")}`
  )
  add(
    "EBADF when one cannot be read or the other not written, or is appended to",
    `
    ${both}
    r = open f O_RDONLY
    w = open g O_WRONLY
    p = open g O_WRONLY|O_APPEND
    copy $w 0 $b 0 1 => EBADF
    copy $a 0 $r 10 1 => EBADF
    copy $a 0 $p 0 1 => EBADF
    copy $r 0 $w 0 5 => 5
  `
  )
  add(
    "EISDIR for a directory, EINVAL for a fifo",
    `
    ${both}
    d = open . O_RDONLY
    mkfifo p
    p = open p O_RDWR
    copy $d 0 $b 0 1 => EISDIR
    copy $p 0 $b 0 1 => EINVAL
    copy $a 0 $p 0 1 => EINVAL
  `
  )
  add(
    "the target's mtime and ctime change, not the source's",
    `
    ${both}
    ${changing("g", ["mtime", "ctime"], "copy $a 0 $b 0 5 => 5")}
    f = stat f
    tick
    copy $a 0 $b 0 5
    stat f => mtime=$f.mtime ctime=$f.ctime
  `
  )
  add(
    "a megabyte, at offsets that are no multiples of anything",
    `
    a = open f O_RDWR|O_CREAT 0644
    b = open g O_RDWR|O_CREAT 0644
    fill $a 500000 120 0
    fill $a 500000 121 500000
    copy $a 7 $b 13 999993 => 999993
    stat g => size=1000006
    sum $b 13 0 => zeros=1
    f = sum $a 65536 480007
    sum $b 65536 480013 => hash=$f.hash
    read $b 1 1000005 => data=y
  `
  )
  add("nothing is nothing", `${both}\n${changing("g", [], "copy $a 0 $b 0 0 => 0")}`)
  add(
    "a source with holes",
    `
    a = open f O_RDWR|O_CREAT 0644
    ftruncate $a 1000000
    write $a x 500000
    b = open g O_RDWR|O_CREAT 0644
    fill $b 1000000 121 0
    copy $a 0 $b 0 1000000 => 1000000
    sum $b 500000 0 => zeros=1
    read $b 3 499999 => data=%00x%00
    sum $b 499999 500001 => zeros=1
  `
  )
})
