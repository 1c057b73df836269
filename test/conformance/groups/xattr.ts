import { changing, group } from "../table.ts"

export const xattr = group("xattr", (add) => {
  for (const type of ["regular", "dir"] as const) {
    add(
      `of a ${type}: set, read, list, remove`,
      `
      make ${type} n
      setxattr n user.a one
      setxattr n user.b two
      getxattr n user.a => text=one
      listxattr n => names=user.a,user.b
      setxattr n user.a other
      getxattr n user.a => text=other
      removexattr n user.a
      getxattr n user.a => ENODATA
      removexattr n user.a => ENODATA
      listxattr n => names=user.b
    `
    )
    add(
      `of a ${type}: ctime changes alone`,
      `
      make ${type} n
      ${changing("n", ["ctime"], "setxattr n user.a one")}
      ${changing("n", ["ctime"], "setxattr n user.a two")}
      ${changing("n", [], "getxattr n user.a\nlistxattr n")}
      ${changing("n", ["ctime"], "removexattr n user.a")}
      ${changing("n", [], "removexattr n user.a => ENODATA")}
    `
    )
    add(
      `of a ${type}: user. follows the permissions`,
      `
      make ${type} n
      setxattr n user.a one
      chmod n 0755
      user: getxattr n user.a => text=one
      user: setxattr n user.a x => EACCES
      user: removexattr n user.a => EACCES
      chmod n 0700
      user: getxattr n user.a => EACCES
      user: listxattr n => names=user.a
      chmod n 0777
      user: setxattr n user.a x
    `
    )
  }
  add(
    "CREATE and REPLACE",
    `
    put f x
    setxattr f user.a one XATTR_REPLACE => ENODATA
    setxattr f user.a one XATTR_CREATE
    setxattr f user.a two XATTR_CREATE => EEXIST
    getxattr f user.a => text=one
    setxattr f user.a two XATTR_REPLACE
    getxattr f user.a => text=two
    setxattr f user.a x 4 => EINVAL
  `
  )
  add(
    "a value may be empty, and any bytes",
    `
    put f x
    setxattr f user.a ''
    getxattr f user.a 100 => 0
    getxattr f user.a 0 => 0
    setxattr f user.b %00%ff%0a
    getxattr f user.b => text=%00%ff%0a
    listxattr f => names=user.a,user.b
  `
  )
  add(
    "sizes: 0 asks, too small is ERANGE",
    `
    put f x
    setxattr f user.a hello
    getxattr f user.a 0 => 5
    getxattr f user.a 4 => ERANGE
    getxattr f user.a 5 => text=hello
    getxattr f user.a 100 => text=hello
    listxattr f 0 => 7
    listxattr f 6 => ERANGE
    listxattr f 7 => names=user.a
    put g x
    listxattr g 0 => 0
    listxattr g => names=
  `
  )
  add(
    "names: ERANGE when too long or empty, namespaces nobody knows, none at all",
    `
    put f x
    setxattr f user.${"n".repeat(250)} v
    getxattr f user.${"n".repeat(250)} => text=v
    setxattr f user.${"n".repeat(251)} v => ERANGE
    getxattr f user.${"n".repeat(251)} => ERANGE
    setxattr f '' v => ERANGE
    setxattr f user. v => EINVAL
    setxattr f nobody.a v => EOPNOTSUPP
    getxattr f nobody.a => EOPNOTSUPP
    removexattr f nobody.a => EOPNOTSUPP
    setxattr f user v => EOPNOTSUPP
    user: setxattr f nobody.a v => EOPNOTSUPP|EACCES|EPERM
  `
  )
  add(
    "a value of 64 KiB is the largest",
    "put f x\nfillxattr f user.a 65537 => E2BIG\nfillxattr f user.a 1000\ngetxattr f user.a 0 => 1000"
  )
  add(
    "trusted. is root's, to others it is not there",
    `
    user: put f x
    setxattr f trusted.a v
    getxattr f trusted.a => text=v
    user: getxattr f trusted.a => ENODATA
    user: setxattr f trusted.a v => EPERM
    user: removexattr f trusted.a => EPERM
    user: listxattr f => names=
    listxattr f => names=trusted.a
    symlink f l
    lsetxattr l trusted.b w
    lgetxattr l trusted.b => text=w
    lremovexattr l trusted.b
  `
  )
  add(
    "user. is for files and directories only",
    `
    ${["fifo", "block", "char", "socket"].map((type) => `make ${type} ${type}\nsetxattr ${type} user.a v => EPERM\ngetxattr ${type} user.a => ENODATA\nsetxattr ${type} trusted.a v\ngetxattr ${type} trusted.a => text=v`).join("\n")}
    symlink none l
    lsetxattr l user.a v => EPERM
    lgetxattr l user.a => ENODATA
  `
  )
  add(
    "user. in a sticky directory is for its owner",
    `
    make dir d 01777
    user: setxattr d user.a v => EPERM
    chown d 65533 -1
    user: setxattr d user.a v
  `
  )
  add(
    "they stay through rename, link, chmod and writing, and go with the file",
    `
    put f x
    setxattr f user.a v
    rename f g
    link g h
    chmod g 0600
    put g other
    getxattr h user.a => text=v
    unlink g
    unlink h
    put g x
    listxattr g => names=
  `
  )
  add(
    "by a symlink: its target's",
    "put f x\nsymlink f l\nsetxattr l user.a v\ngetxattr f user.a => text=v\nlistxattr l => names=user.a\nremovexattr l user.a"
  )
  add(
    "twenty of them",
    `
    put f x
    ${Array.from({ length: 20 }, (_, i) => `setxattr f user.n${i} v${i}`).join("\n")}
    listxattr f 0 => ${Array.from({ length: 20 }, (_, i) => `user.n${i}`.length + 1).reduce((a, b) => a + b)}
    ${Array.from({ length: 20 }, (_, i) => `getxattr f user.n${i} => text=v${i}`).join("\n")}
    ${Array.from({ length: 19 }, (_, i) => `removexattr f user.n${i}`).join("\n")}
    listxattr f => names=user.n19
  `
  )
  add(
    "names are told apart by case and by any byte",
    "put f x\nsetxattr f user.a 1\nsetxattr f user.A 2\nsetxattr f user.%ff 3\ngetxattr f user.a => text=1\ngetxattr f user.A => text=2\ngetxattr f user.%ff => text=3"
  )
})
