import { changing, group, otherThanDirectories } from "../table.ts"

export const link = group("link", (add) => {
  for (const type of otherThanDirectories) {
    add(
      `a ${type} has two names and one inode`,
      `
      make ${type} a
      a = lstat a
      link a b
      lstat a => nlink=2 ino=$a.ino
      lstat b => nlink=2 ino=$a.ino type=${type} mode=$a.mode uid=$a.uid
      link b c
      lstat a => nlink=3
      unlink a
      lstat a => ENOENT
      lstat c => nlink=2 ino=$a.ino
      unlink b
      lstat c => nlink=1
      unlink c
      lstat c => ENOENT
    `
    )
    add(
      `what changes for one name of a ${type} shows at the other`,
      `
      make ${type} a
      link a b
      lchown b 12 34
      lstat a => uid=12 gid=34
      utimens a 5.6 7.8 AT_SYMLINK_NOFOLLOW
      lstat b => atime=5.000000006 mtime=7.000000008
    `
    )
    add(
      `a ${type}'s ctime changes, the directory's mtime and ctime too`,
      `
      make ${type} a
      mkdir d
      ${changing("a", ["ctime"], "link a d/b")}
      ${changing("d", ["mtime", "ctime"], "link a d/c")}
      ${changing("a", ["ctime"], "unlink d/b")}
    `
    )
    add(
      `EEXIST when a ${type} has the name`,
      `
      put a x
      make ${type} n
      make dir d 0777
      make ${type} d/n
      ${changing("a", [], "link a n => EEXIST\nlink a d/n => EEXIST")}
      lstat a => nlink=1
      link a a => EEXIST
    `
    )
  }
  add(
    "EEXIST when a directory has the name",
    "put a x\nmkdir d\nlink a d => EEXIST\nlink a . => EEXIST\nlink a d/. => EEXIST"
  )
  add(
    "EEXIST comes before the permission to write, ENOENT of the source before EEXIST",
    `
    put a x
    mkdir d
    put d/b x
    user: link a d/b => EEXIST|EPERM
    link none d/b => ENOENT
  `
  )
  add(
    "a directory cannot have two names: EPERM",
    `
    mkdir d
    link d e => EPERM
    lstat d => nlink=2
    user: mkdir f
  `
  )
  add(
    "a symlink is linked itself; with AT_SYMLINK_FOLLOW its target is",
    `
    put f x
    symlink f l
    link l m
    lstat m => type=symlink nlink=2
    linkat AT_FDCWD l AT_FDCWD n AT_SYMLINK_FOLLOW
    lstat n => type=regular nlink=2
    symlink none dangling
    link dangling o
    linkat AT_FDCWD dangling AT_FDCWD p AT_SYMLINK_FOLLOW => ENOENT
  `
  )
  add(
    "EACCES when the directory may not be written",
    `
    user: put a x
    make dir d 0755
    ${changing("d", [], "user: link a d/b => EACCES")}
    make dir e 0777
    user: link a e/b
    chmod e 0555
    user: link e/b c
  `
  )
  add("EXDEV to another filesystem", "put a x\nlink a /dev/bickford-none => EXDEV")
  add(
    "ENOENT for a file that has no name any more",
    `
    put f x
    a = open f O_RDWR
    unlink f
    linkfd $a g => ENOENT
    fstat $a => nlink=0
  `
  )
  add(
    "by a descriptor, while it has a name",
    "put f x\na = open f O_RDONLY\nlinkfd $a g\nlstat g => nlink=2\nlinkat $a '' AT_FDCWD h AT_EMPTY_PATH\nlstat h => nlink=3"
  )
  add(
    "ENOENT in a directory that was removed",
    `
    put f x
    mkdir d
    d = open d O_RDONLY
    rmdir d
    linkat AT_FDCWD f $d g => ENOENT
    lstat f => nlink=1
  `
  )
  add(
    "a hundred names",
    `
    put f x
    ${Array.from({ length: 100 }, (_, i) => `link f n${i}`).join("\n")}
    stat f => nlink=101
    ${Array.from({ length: 100 }, (_, i) => `unlink n${i}`).join("\n")}
    stat f => nlink=1
  `
  )
  add(
    "what is written by one name is read by the other",
    `
    put a one
    link a b
    a = open a O_RDWR
    b = open b O_RDWR
    write $a two 0
    read $b 10 0 => data=two
    ftruncate $b 1
    read $a 10 0 => data=t
    stat a => size=1
  `
  )
})
