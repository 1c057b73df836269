/** unlink and rmdir. */
import { changing, fileTypes, group, otherThanDirectories, remover } from "../table.ts"

export const removal = group("removal", (add) => {
  for (const type of fileTypes) {
    const remove = remover(type)
    add(
      `${remove} of a ${type}: it is gone, the directory changed`,
      `
      mkdir d
      make ${type} d/n
      ${changing("d", ["mtime", "ctime"], `${remove} d/n`)}
      lstat d/n => ENOENT
      ${remove} d/n => ENOENT
      lstat d => nlink=2
      readdir d => names=
      make ${type} d/n
    `
    )
    add(
      `${remove} of a ${type}: EACCES when the directory may not be written`,
      `
      make dir d 0755
      make ${type} d/n
      lchown d/n 65533 65533
      ${changing("d", [], `user: ${remove} d/n => EACCES`)}
      chmod d 0777
      user: ${remove} d/n
      make ${type} d/m
      chown d 65533 65533
      chmod d 0577
      user: ${remove} d/m => EACCES
      other: ${remove} d/m
    `
    )
    add(
      `${remove} of a ${type}: the owner of the directory may, whoever owns it`,
      `
      user: mkdir d
      make ${type} d/n
      user: ${remove} d/n
    `
    )
    for (const directoryOwner of ["user", "other"]) {
      for (const owner of ["user", "other"]) {
        const allowed = directoryOwner === "user" || owner === "user"
        add(
          `${remove} of a ${type} in a sticky directory of ${directoryOwner === "user" ? "one's own" : "another's"}, the ${type} being ${owner === "user" ? "one's own" : "another's"}`,
          `
          make dir d 01777
          make ${type} d/n
          lchown d/n ${owner === "user" ? 65533 : 65530} -1
          chown d ${directoryOwner === "user" ? 65533 : 65530} -1
          user: ${remove} d/n${allowed ? "\nlstat d/n => ENOENT" : ` => EPERM\nlstat d/n => type=${type}`}
        `
        )
      }
    }
  }
  for (const type of otherThanDirectories) {
    add(
      `unlink of one of two names of a ${type}: its ctime changes`,
      `
      make ${type} a
      link a b
      ${changing("a", ["ctime"], "unlink b")}
      lstat a => nlink=1
    `
    )
    add(
      `rmdir of a ${type}: ENOTDIR`,
      `make ${type} n\nrmdir n => ENOTDIR\nunlinkat AT_FDCWD n AT_REMOVEDIR => ENOTDIR\nlstat n => type=${type}`
    )
    add(
      `rmdir of a directory with a ${type} in it: ENOTEMPTY`,
      `
      mkdir d
      make ${type} d/n
      ${changing("d", [], "rmdir d => ENOTEMPTY|EEXIST")}
      unlink d/n
      rmdir d
    `
    )
  }
  add(
    "unlink of a directory: EISDIR",
    `
    mkdir d
    ${changing("d", [], "unlink d => EISDIR\nunlinkat AT_FDCWD d 0 => EISDIR")}
    chmod . 01777
    user: unlink d => EISDIR|EPERM
  `
  )
  add(
    "root removes from sticky directories",
    "make dir d 01777\nchown d 65530 -1\nuser: put d/f x\nuser: mkdir d/e\nunlink d/f\nrmdir d/e"
  )
  add(
    "a file that was unlinked lives while it is open",
    `
    put f hello
    a = open f O_RDWR
    ${changing("f", [], "b = open f O_RDONLY")}
    unlink f
    fstat $a => nlink=0 size=5 type=regular
    read $b 10 0 => data=hello
    write $a world 5 => 5
    read $b 10 0 => data=helloworld
    ftruncate $a 3
    fstat $b => size=3
    close $a
    read $b 10 0 => data=hel
    open f O_RDONLY => ENOENT
    put f other
    read $b 10 0 => data=hel
    get f => data=other
  `
  )
  add(
    "an unlinked file still takes attributes",
    `
    put f x
    a = open f O_RDWR
    unlink f
    fchmod $a 0600
    fchown $a 1 2
    futimens $a 3.0 4.0
    fstat $a => mode=0600 uid=1 gid=2 atime=3.000000000 mtime=4.000000000
    fsetxattr $a user.a v
    fsync $a
  `
  )
  add(
    "the last name gone, ctime changes",
    "put f x\na = open f O_RDONLY\nbefore = fstat $a\ntick\nunlink f\nfstat $a => ctime>$before.ctime mtime=$before.mtime"
  )
  add(
    "a mapping of an unlinked file stays",
    `
    put f hello
    a = open f O_RDWR
    m = mmap $a 0 5 PROT_READ|PROT_WRITE MAP_SHARED
    unlink f
    close $a
    mread $m 0 5 => data=hello
    mwrite $m 0 world
    mread $m 0 5 => data=world
  `
  )
  add(
    "rmdir: . is EINVAL, what ends in .. is not empty",
    `
    mkdir d
    mkdir d/e
    rmdir d/. => EINVAL
    rmdir d/e/.. => ENOTEMPTY
    rmdir . => EINVAL
    rmdir .. => ENOTEMPTY
  `
  )
  add("unlink: . and .. are directories", "mkdir d\nunlink d/. => EISDIR|EINVAL|EPERM\nunlink d/.. => EISDIR|EPERM")
  add(
    "rmdir of a directory somebody is in: it stays, empty and without a name",
    `
    mkdir d
    chdir d
    here = stat .
    root2: rmdir d
    stat . => nlink=0 ino=$here.ino
    readdir . => value=0
    put f x => ENOENT
    mkdir e => ENOENT
    stat f => ENOENT
    getcwd => ENOENT
    chmod . 0700
    stat . => mode=0700
  `
  )
  add(
    "rmdir of a directory that is open: listing it gives nothing",
    `
    mkdir d
    d = open d O_RDONLY
    rmdir d
    getdents $d 4096 => ENOENT
    fstat $d => nlink=0
    openat $d f O_CREAT|O_RDWR 0644 => ENOENT
    mkdirat $d e => ENOENT
    fchmod $d 0700
  `
  )
  add(
    "rmdir: the parent's link count goes down",
    "mkdir d\nmkdir d/a\nmkdir d/b\nstat d => nlink=4\nrmdir d/a\nstat d => nlink=3\nrmdir d/b\nstat d => nlink=2"
  )
  add("rmdir through a symlink: ENOTDIR", "mkdir d\nsymlink d l\nrmdir l => ENOTDIR\nunlink l\nrmdir d")
  add("unlink removes a symlink, not its target", "put f x\nsymlink f l\nunlink l\nget f => data=x\nlstat l => ENOENT")
  add(
    "unlinkat: relative to a descriptor; unknown flags are EINVAL",
    `
    mkdir d
    put d/f x
    mkdir d/e
    d = open d O_RDONLY
    unlinkat $d f 0
    unlinkat $d e 0 => EISDIR
    unlinkat $d e AT_REMOVEDIR
    unlinkat $d e 1 => EINVAL
    readdir d => 0
  `
  )
  add(
    "a name can be used again at once, for another type",
    `
    put n x
    unlink n
    mkdir n
    rmdir n
    symlink x n
    unlink n
    mkfifo n
    lstat n => type=fifo
  `
  )
  add("unlink of a running program is fine", "program p\nc = spawn p\nunlink p\nlstat p => ENOENT\nstop $c")
})
