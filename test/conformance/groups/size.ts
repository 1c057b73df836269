/** truncate and ftruncate. */
import { changing, group } from "../table.ts"

export const size = group("truncate", (add) => {
  for (const [name, to] of [
    ["truncate", (length: number | string) => `truncate f ${length}`],
    ["ftruncate", (length: number | string) => `ftruncate $a ${length}`]
  ] as const) {
    const prepare = "put f hello\na = open f O_RDWR"
    add(
      `${name}: shorter, longer, empty; what is new is zero`,
      `
      ${prepare}
      ${to(3)}
      get f => data=hel
      ${to(5)}
      get f => data=hel%00%00
      ${to(0)}
      stat f => size=0 blocks=0
      get f => 0
      ${to(1234567)}
      stat f => size=1234567
      sum $a 65536 1000000 => value=65536 zeros=1
      sum $a 65536 1230000 => value=4567 zeros=1
    `
    )
    add(
      `${name}: what was cut off does not come back`,
      `
      make regular f
      a = open f O_RDWR
      fill $a 10000 120 0
      ${to(5000)}
      ${to(10000)}
      sum $a 5000 5000 => value=5000 zeros=1
      read $a 2 4999 => data=x%00
      ${to(4096)}
      write $a y 9000
      sum $a 4904 4096 => value=4904 zeros=1
    `
    )
    add(
      `${name}: mtime and ctime change, to whatever size`,
      `
      ${prepare}
      ${changing("f", ["mtime", "ctime"], to(3))}
      ${changing("f", ["mtime", "ctime"], to(100))}
      ${changing("f", ["mtime", "ctime"], to(100))}
      ${changing("f", ["mtime", "ctime"], to(0))}
    `
    )
    add(
      `${name}: EINVAL for a negative size, nothing changed`,
      `${prepare}\n${changing("f", [], `${to(-1)} => EINVAL\n${to("-9223372036854775808")} => EINVAL`)}`
    )
    add(
      `${name}: far beyond 4 GiB`,
      `
      ${prepare}
      ${to("5000000000")}
      stat f => size=5000000000 blocks<=16
      write $a x 4999999999
      read $a 10 4999999998 => data=%00x
      ${to("4294967297")}
      sum $a 100 4294967290 => value=7 zeros=1
      ${to(5)}
      get f => data=hello
    `
    )
    add(
      `${name}: set-user-ID and set-group-ID go when another than root does it`,
      `
      put f hello
      chown f 65533 65533
      chmod f 06777
      a = user: open f O_RDWR
      user: ${to(3)}
      stat f => mode=0777
      chmod f 04767
      user: ${to(3)}
      stat f => mode=0767
    `
    )
    add(
      `${name}: they stay when root does it`,
      `
      ${prepare}
      chmod f 06777
      ${to(3)}
      stat f => mode=06777
    `
    )
  }
  add(
    "truncate: EISDIR, EINVAL, ENXIO",
    `
    mkdir d
    truncate d 0 => EISDIR
    make fifo p
    truncate p 0 => EINVAL
    make socket s
    truncate s 0 => EINVAL
    make char c
    truncate c 0 => EINVAL
  `
  )
  add(
    "truncate: through a symlink",
    "put f hello\nsymlink f l\ntruncate l 2\nget f => data=he\nlstat l => type=symlink size=1"
  )
  add(
    "ftruncate: with a descriptor that may not write",
    `
    put f x
    r = open f O_RDONLY
    ftruncate $r 0 => EINVAL|EBADF
    d = open . O_RDONLY
    ftruncate $d 0 => EINVAL|EBADF
    ftruncate 9999 0 => EBADF
  `
  )
  add(
    "ftruncate: of a file whose mode forbids by now, or that was unlinked",
    `
    user: put f hello
    a = user: open f O_RDWR
    user: chmod f 0
    user: ftruncate $a 3
    user: unlink f
    user: ftruncate $a 2
    user: fstat $a => size=2 nlink=0
  `
  )
  add(
    "ftruncate: the descriptor's position stays",
    "put f hello\na = open f O_RDWR\nlseek $a 4 SEEK_SET\nftruncate $a 0\nwrite $a x => 1\nget f => data=%00%00%00%00x"
  )
})
