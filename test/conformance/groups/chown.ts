import { changing, fileTypes, group, ownTypes } from "../table.ts"

export const chown = group("chown", (add) => {
  for (const type of fileTypes) {
    add(
      `root gives away a ${type}; -1 keeps; ctime changes alone`,
      `
      make ${type} n
      ${changing("n", ["ctime"], "lchown n 123 456")}
      lstat n => uid=123 gid=456
      lchown n -1 789
      lstat n => uid=123 gid=789
      lchown n 321 -1
      lstat n => uid=321 gid=789
      ${changing("n", ["ctime"], "lchown n 0 -1")}
      ${changing("n", ["ctime"], "lchown n -1 0")}
      lstat n => uid=0 gid=0 type=${type}
      lchown n 4294967294 4294967294
      lstat n => uid=4294967294 gid=4294967294
    `
    )
    add(
      `the owner of a ${type} may give it to a group of theirs, and to no other`,
      `
      make ${type} n
      lchown n 65532 65532
      mate: lchown n -1 65531
      lstat n => uid=65532 gid=65531
      mate: lchown n 65532 65533
      lstat n => uid=65532 gid=65533
      ${changing("n", [], "mate: lchown n -1 65530 => EPERM\nmate: lchown n -1 0 => EPERM")}
      lstat n => uid=65532 gid=65533
    `
    )
    add(
      `nobody but root gives away a ${type}: EPERM`,
      `
      make ${type} n
      lchown n 65532 65532
      ${changing(
        "n",
        [],
        `
        mate: lchown n 65533 -1 => EPERM
        mate: lchown n 65533 65531 => EPERM
        user: lchown n 65533 65533 => EPERM
        user: lchown n 65532 -1 => EPERM
        user: lchown n -1 65533 => EPERM
      `
      )}
      lstat n => uid=65532 gid=65532
      mate: lchown n 65532 65532
    `
    )
  }
  for (const type of ownTypes) {
    add(
      `a ${type} reached through a symlink`,
      `
      make ${type} n
      symlink n l
      chown l 123 456
      lstat n => uid=123 gid=456
      lstat l => uid=0 gid=0
      lchown l 7 8
      lstat n => uid=123 gid=456
      lstat l => uid=7 gid=8
    `
    )
    const kept = type === "dir" ? "06777" : "0777"
    add(
      `set-user-ID and set-group-ID of a ${type} ${type === "dir" ? "stay" : "go"} when root changes its owner or group`,
      `
      make ${type} n
      chmod n 06777
      chown n 123 456
      lstat n => mode=${kept}
      chmod n 06777
      chown n -1 789
      lstat n => mode=${kept}
      chmod n 06777
      chown n 0 -1
      lstat n => mode=${kept}
    `
    )
    add(
      `set-user-ID and set-group-ID of a ${type} ${type === "dir" ? "stay" : "go"} when its owner changes its group`,
      `
      make ${type} n
      chown n 65532 65532
      mate: chmod n 06755
      mate: chown n 65532 65531
      lstat n => mode=${type === "dir" ? "06755" : "0755"} gid=65531
      chmod n 06755
      mate: chown n -1 65532
      lstat n => mode=${type === "dir" ? "06755" : "0755"}
    `
    )
    add(
      `set-group-ID of a ${type} that is not executable by its group stays for members`,
      `
      make ${type} n
      chmod n 02745
      chown n 0 65531
      lstat n => mode=02745
      chown n 65532 65531
      chmod n 02745
      mate: chown n -1 65533
      lstat n => mode=02745
    `
    )
    add(
      `set-group-ID of a ${type} that is not executable by its group ${type === "dir" ? "stays" : "goes"} when one who is not in it changes the group`,
      `
      make ${type} n
      chown n 65532 65530
      chmod n 02745
      mate: chown n -1 65533
      lstat n => mode=${type === "dir" ? "02745" : "0745"} gid=65533
    `
    )
  }
  add(
    "nothing to change still clears set-user-ID of a file",
    `
    put f x
    chmod f 04755
    chown f -1 -1
    stat f => mode=0755
    mkdir d
    chmod d 06755
    chown d -1 -1
    stat d => mode=06755
  `
  )
  add(
    "nothing to change is allowed to everybody",
    `
    put f x
    user: chown f -1 -1
    stat f => uid=0 gid=0
  `
  )
  add(
    "a dangling symlink: ENOENT, itself fine",
    "symlink none l\nchown l 1 1 => ENOENT\nlchown l 1 1\nlstat l => uid=1 gid=1"
  )
  add(
    "fchown: on a descriptor, on an unlinked file, not on O_PATH",
    `
    put f x
    a = open f O_RDONLY
    fchown $a 5 6
    stat f => uid=5 gid=6
    unlink f
    fchown $a 7 8
    fstat $a => uid=7 gid=8
    put g x
    p = open g O_PATH
    fchown $p 1 1 => EBADF
  `
  )
  add(
    "the new owner's permissions are in force at once",
    `
    put f x
    chmod f 0600
    user: get f => EACCES
    chown f 65533 -1
    user: get f => data=x
    chown f 0 65533
    chmod f 0040
    user: get f => data=x
    mate: get f => data=x
    other: get f => EACCES
  `
  )
  add(
    "open files stay open",
    `
    user: put f x
    a = user: open f O_RDWR
    chown f 0 0
    chmod f 0600
    user: write $a y => 1
    user: fchmod $a 0777 => EPERM
  `
  )
})
