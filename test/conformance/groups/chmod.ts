import { changing, group, ownTypes } from "../table.ts"

export const chmod = group("chmod", (add) => {
  for (const type of ownTypes) {
    add(
      `the mode of a ${type} changes, and ctime only`,
      `
      make ${type} n
      ${changing("n", ["ctime"], "chmod n 0111")}
      lstat n => mode=0111 type=${type}
    `
    )
    add(
      `all twelve bits of a ${type} are kept`,
      `
      make ${type} n
      ${["07777", "04000", "02000", "01000", "0400", "0200", "0100", "040", "020", "010", "04", "02", "01", "0"]
        .map((mode) => `chmod n ${mode}\nlstat n => mode=${mode}`)
        .join("\n")}
    `
    )
    add(
      `the owner of a ${type} may, others may not: EPERM, nothing changed`,
      `
      make ${type} n
      chown n 65533 65533
      user: chmod n 0640
      lstat n => mode=0640
      ${changing("n", [], "other: chmod n 0777 => EPERM\nmate: chmod n 0777 => EPERM")}
      lstat n => mode=0640
    `
    )
    add(
      `a ${type} reached through a symlink`,
      `
      make ${type} n
      symlink n l
      chmod l 0321
      lstat n => mode=0321
      lstat l => mode=0777
    `
    )
    add(
      `a ${type} with set-group-ID whose group is not its owner's loses it`,
      `
      make ${type} n 0644
      chown n 65533 65531
      user: chmod n 02755
      lstat n => mode=0755
      chown n 65532 65531
      mate: chmod n 02755
      lstat n => mode=02755
      chmod n 06755
      lstat n => mode=06755
    `
    )
    add(
      `sticky on a ${type} by its owner`,
      `
      make ${type} n
      chown n 65533 65533
      user: chmod n 01644
      lstat n => mode=01644
    `
    )
    add(
      `all names of a ${type} show the mode`,
      type === "dir"
        ? "mkdir n\nchmod n/. 0711\nlstat n => mode=0711"
        : `
      make ${type} n
      link n m
      chmod m 0711
      lstat n => mode=0711
    `
    )
  }
  add("a dangling symlink: ENOENT", "symlink none l\nchmod l 0644 => ENOENT")
  add(
    "a symlink's own mode cannot change: EOPNOTSUPP",
    `
    symlink none l
    lchmod l 0644 => EOPNOTSUPP|ENOSYS
    lstat l => mode=0777
  `
  )
  add(
    "fchmod: on whatever descriptor but O_PATH",
    `
    put f x
    r = open f O_RDONLY
    fchmod $r 0600
    w = open f O_WRONLY
    fchmod $w 0640
    fstat $r => mode=0640
    p = open f O_PATH
    fchmod $p 0644 => EBADF
    mkdir d
    d = open d O_RDONLY
    fchmod $d 0700
    stat d => mode=0700
  `
  )
  add(
    "fchmod: EPERM for who opened another's file",
    "put f x\nchmod f 0666\na = user: open f O_RDWR\nuser: fchmod $a 0777 => EPERM"
  )
  add(
    "fchmod: on a file that was unlinked",
    `
    put f x
    a = open f O_RDWR
    unlink f
    fchmod $a 0606
    fstat $a => mode=0606 nlink=0
  `
  )
  add(
    "open files keep the access they were opened with",
    `
    user: put f hello
    a = user: open f O_RDWR
    user: chmod f 0
    user: write $a bye => 3
    user: read $a 5 0 => data=byelo
    user: open f O_RDONLY => EACCES
  `
  )
  add(
    "the same mode again changes ctime",
    `
    put f x
    chmod f 0644
    ${changing("f", ["ctime"], "chmod f 0644")}
  `
  )
  add(
    "permissions are in force at once",
    `
    user: mkdir d
    user: put d/f x
    user: chmod d 0
    user: stat d/f => EACCES
    user: chmod d 0700
    user: stat d/f => type=regular
    other: stat d/f => EACCES
    user: chmod d 0755
    other: stat d/f => type=regular
  `
  )
})
