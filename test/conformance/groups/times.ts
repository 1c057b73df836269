/** utimensat and futimens. */
import { changing, fileTypes, group } from "../table.ts"

export const times = group("utimensat", (add) => {
  for (const type of fileTypes) {
    add(
      `both times of a ${type}, to the nanosecond; ctime is now`,
      `
      make ${type} n
      before = lstat n
      tick
      utimens n 1000000001.123456789 2000000002.987654321 AT_SYMLINK_NOFOLLOW
      lstat n => atime=1000000001.123456789 mtime=2000000002.987654321 ctime>$before.ctime
      utimens n 0.0 0.000000001 AT_SYMLINK_NOFOLLOW
      lstat n => atime=0.000000000 mtime=0.000000001
    `
    )
    add(
      `one time of a ${type}, the other omitted`,
      `
      make ${type} n
      utimens n 5.5 6.6 AT_SYMLINK_NOFOLLOW
      before = lstat n
      tick
      utimens n OMIT 7.7 AT_SYMLINK_NOFOLLOW
      lstat n => atime=5.000000005 mtime=7.000000007 ctime>$before.ctime
      utimens n 8.8 OMIT AT_SYMLINK_NOFOLLOW
      lstat n => atime=8.000000008 mtime=7.000000007
      ${changing("n", [], "utimens n OMIT OMIT AT_SYMLINK_NOFOLLOW")}
    `
    )
    add(
      `NOW for a ${type}`,
      `
      make ${type} n
      ${changing("n", ["atime", "mtime", "ctime"], "utimens n NOW NOW AT_SYMLINK_NOFOLLOW")}
      ${changing("n", ["mtime", "ctime"], "utimens n OMIT NOW AT_SYMLINK_NOFOLLOW")}
      ${changing("n", ["atime", "ctime"], "utimens n NOW OMIT AT_SYMLINK_NOFOLLOW")}
      n = lstat n
      clock => time>=$n.atime
    `
    )
    add(
      `the owner of a ${type} may set its times, others may not`,
      `
      make ${type} n
      lchown n 65533 65533
      user: utimens n 1.0 2.0 AT_SYMLINK_NOFOLLOW
      user: utimens n NOW NOW AT_SYMLINK_NOFOLLOW
      ${changing(
        "n",
        [],
        `
        other: utimens n 1.0 2.0 AT_SYMLINK_NOFOLLOW => EPERM
        mate: utimens n OMIT 2.0 AT_SYMLINK_NOFOLLOW => EPERM
        other: utimens n NOW 2.0 AT_SYMLINK_NOFOLLOW => EPERM
        other: utimens n NOW OMIT AT_SYMLINK_NOFOLLOW => EPERM
        ${type === "symlink" ? "" : "other: utimens n NOW NOW AT_SYMLINK_NOFOLLOW => EACCES"}
        other: utimens n OMIT OMIT AT_SYMLINK_NOFOLLOW
      `
      )}
    `
    )
  }
  add(
    "who may write may set both to now, and nothing else",
    `
    put f x
    chmod f 0666
    ${changing("f", ["atime", "mtime", "ctime"], "other: touch f")}
    ${changing("f", ["atime", "mtime", "ctime"], "other: utimens f NOW NOW")}
    other: utimens f 1.0 1.0 => EPERM
    other: utimens f NOW OMIT => EPERM
    chmod f 0644
    other: touch f => EACCES
    other: utimens f 1.0 1.0 => EPERM
  `
  )
  add(
    "a symlink is followed unless told otherwise",
    `
    put f x
    symlink f l
    utimens l 11.0 12.0
    lstat f => atime=11.000000000 mtime=12.000000000
    lstat l => mtime>100.000000000
    utimens l 13.0 14.0 AT_SYMLINK_NOFOLLOW
    lstat l => atime=13.000000000 mtime=14.000000000
    lstat f => mtime=12.000000000
    symlink none dangling
    utimens dangling NOW NOW => ENOENT
    utimens dangling 1.0 1.0 AT_SYMLINK_NOFOLLOW
  `
  )
  for (const [name, seconds] of [
    ["before 1970", "-1"],
    ["of 1901", "-2147483647"],
    ["of 2038", "2147483647"],
    ["after 2038", "2147483648"],
    ["of 2106", "4294967295"],
    ["after 2106", "4294967296"],
    ["of 2400", "13569465600"]
  ] as const) {
    add(
      `times ${name}`,
      `
      put f x
      utimens f ${seconds}.999999999 ${seconds}.000000001
      stat f => atime=${seconds}.999999999 mtime=${seconds}.000000001
      utimens f OMIT ${seconds}.000000000
      stat f => mtime=${seconds}.000000000
    `
    )
  }
  add(
    "EINVAL for a billion nanoseconds, or fewer than none",
    `
    put f x
    ${changing("f", [], "utimens f 1.1000000000 2.0 => EINVAL\nutimens f 1.0 2.-1 => EINVAL\nutimens f 1.0 2.1000000000 => EINVAL")}
    utimens f 1.0 2.0 0x8000 => EINVAL
  `
  )
  add(
    "futimens: on any descriptor but O_PATH, on an unlinked file",
    `
    put f x
    r = open f O_RDONLY
    futimens $r 1.0 2.0
    stat f => atime=1.000000000 mtime=2.000000000
    unlink f
    futimens $r 3.0 4.0
    fstat $r => atime=3.000000000 mtime=4.000000000
    d = open . O_RDONLY
    futimens $d 5.0 6.0
    stat . => mtime=6.000000000
    put g x
    p = open g O_PATH
    futimens $p 1.0 1.0 => EBADF
  `
  )
  add(
    "a time that was set stays through rename, link and chmod",
    `
    put f x
    utimens f 1.0 2.0
    rename f g
    link g h
    chmod g 0600
    stat h => atime=1.000000000 mtime=2.000000000
  `
  )
  add(
    "reading marks atime the first time after a change, writing never does",
    `
    put f hello
    ${changing("f", ["mtime", "ctime"], "a = open f O_WRONLY\nwrite $a x")}
    tick
    get f
    after = stat f
    stat f => atime>$before.mtime
    tick
    get f
    stat f => atime=$after.atime
  `
  )
  add(
    "listing marks a directory's atime the first time after a change",
    `
    mkdir d
    put d/f x
    d = stat d
    tick
    readdir d
    stat d => atime>$d.atime mtime=$d.mtime ctime=$d.ctime
  `
  )
  add(
    "readlink marks a symlink's atime at most, nothing else",
    `
    symlink x l
    before = lstat l
    tick
    readlink l
    lstat l => mtime=$before.mtime ctime=$before.ctime atime>=$before.atime
  `
  )
  add("O_NOATIME marks nothing", `put f x\n${changing("f", [], "a = open f O_RDONLY|O_NOATIME\nread $a 1")}`)
  add(
    "stat and failing calls change no time",
    `
    put f x
    ${changing("f", [], "stat f\naccess f R_OK\nlistxattr f\nuser: chmod f 0777 => EPERM\nuser: truncate f 0 => EACCES\nunlink f/ => ENOTDIR")}
  `
  )
  add(
    "birth: statx tells it, and nothing changes it",
    `
    put f x
    b = statx f
    statx f => btime>0.000000000
    tick
    chmod f 0600
    a = open f O_RDWR
    write $a y
    utimens f 1.0 1.0
    rename f g
    statx g => btime=$b.btime
    link g h
    statx h => btime=$b.btime
  `
  )
})
