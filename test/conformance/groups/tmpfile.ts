import { changing, group } from "../table.ts"

export const tmpfile = group("O_TMPFILE", (add) => {
  const make = "a = open . O_TMPFILE|O_RDWR 0644"
  add(
    "a file without a name",
    `
    ${make}
    fstat $a => type=regular nlink=0 size=0 mode=0644 uid=0
    readdir . => 0
    write $a hello => 5
    read $a 10 0 => data=hello
    fstat $a => size=5
  `
  )
  add(
    "the mode is masked, the owner who made it",
    `
    user: umask 077
    a = user: open . O_TMPFILE|O_RDWR 0777
    user: fstat $a => mode=0700 uid=65533 gid=65533
  `
  )
  add(
    "it gets a name by linkat, unless O_EXCL",
    `
    ${make}
    write $a hello
    linkfd $a f
    get f => data=hello
    fstat $a => nlink=1
    linkfd $a g
    stat g => nlink=2
    b = open . O_TMPFILE|O_EXCL|O_RDWR 0644
    linkfd $b h => ENOENT
  `
  )
  add("the name may be taken", `${make}\nput f x\nlinkfd $a f => EEXIST\nfstat $a => nlink=0\nlinkfd $a g`)
  add(
    "the directory does not change",
    `mkdir d\n${changing("d", [], "open d O_TMPFILE|O_RDWR 0644")}\nstat d => nlink=2`
  )
  add(
    "it must be written, in a directory that may be",
    `
    open . O_TMPFILE|O_RDONLY 0644 => EINVAL
    put f x
    open f O_TMPFILE|O_RDWR 0644 => ENOTDIR
    open none O_TMPFILE|O_RDWR 0644 => ENOENT
    mkdir d
    user: open d O_TMPFILE|O_RDWR 0644 => EACCES
    open . O_TMPFILE|O_WRONLY 0
  `
  )
  add(
    "in a set-group-ID directory it has the directory's group",
    `
    mkdir d
    chown d 0 65531
    chmod d 02777
    a = user: open d O_TMPFILE|O_RDWR 0644
    user: fstat $a => gid=65531 uid=65533
  `
  )
  add(
    "not in a directory that was removed",
    "mkdir d\nchdir d\nroot2: rmdir d\nopen . O_TMPFILE|O_RDWR 0644 => ENOENT|EPERM"
  )
  add(
    "two are two",
    `${make}\nb = open . O_TMPFILE|O_RDWR 0644\nwrite $a one\nwrite $b two\nread $a 3 0 => data=one\nx = fstat $a\nfstat $b => ino!=$x.ino`
  )
  add(
    "everything can be done with it",
    `
    ${make}
    ftruncate $a 10000
    fallocate $a 0 0 20000
    fchmod $a 0600
    fchown $a 1 2
    fsetxattr $a user.a v
    futimens $a 1.0 2.0
    m = mmap $a 0 4096 PROT_READ|PROT_WRITE MAP_SHARED
    mwrite $m 0 hello
    read $a 5 0 => data=hello
    linkfd $a f
    stat f => size=20000 mode=0600 uid=1
    getxattr f user.a => text=v
  `
  )
})
