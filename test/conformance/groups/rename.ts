import { changing, fileTypes, group, otherThanDirectories } from "../table.ts"

export const rename = group("rename", (add) => {
  for (const type of fileTypes) {
    add(
      `a ${type} has another name and is the same`,
      `
      make ${type} a
      a = lstat a
      rename a b
      lstat a => ENOENT
      lstat b => ino=$a.ino type=${type} mode=$a.mode nlink=$a.nlink
      mkdir d
      rename b d/c
      lstat d/c => ino=$a.ino
      rename d/c a
      lstat a => ino=$a.ino
    `
    )
    add(
      `a ${type}: its ctime changes, both directories' mtime and ctime`,
      `
      mkdir d
      mkdir e
      make ${type} d/n
      ${changing("d", ["mtime", "ctime"], "rename d/n e/n")}
      ${changing("d", ["mtime", "ctime"], "rename e/n d/m")}
      e = lstat e
      d = lstat d
      tick
      rename d/m d/n
      lstat e => mtime=$e.mtime ctime=$e.ctime
      lstat d => mtime>$d.mtime
      n = lstat d/n
      tick
      rename d/n d/o
      lstat d/o => mtime=$n.mtime atime=$n.atime ctime>$n.ctime
    `
    )
    add(
      `a ${type} to its own name: nothing happens`,
      `
      make ${type} a
      ${changing("a", [], "rename a a")}
      ${changing(".", [], "rename a a")}
    `
    )
    add(
      `a ${type}: EACCES when one of the directories may not be written`,
      `
      make dir d 0755
      make dir e 0777
      make ${type} d/n
      make ${type} e/n
      lchown d/n 65533 65533
      lchown e/n 65533 65533
      ${changing("d", [], "user: rename d/n e/m => EACCES\nuser: rename e/n d/m => EACCES\nuser: rename d/n d/m => EACCES")}
      lstat d/n => type=${type}
      user: rename e/n e/m
    `
    )
    for (const directoryOwner of ["user", "other"]) {
      for (const owner of ["user", "other"]) {
        const allowed = directoryOwner === "user" || owner === "user"
        const whose = (who: string): string => (who === "user" ? "one's own" : "another's")
        add(
          `a ${type} out of a sticky directory of ${whose(directoryOwner)}, being ${whose(owner)}`,
          `
          make dir d 01777
          make dir e 0777
          make ${type} d/n 0777
          lchown d/n ${owner === "user" ? 65533 : 65530} -1
          chown d ${directoryOwner === "user" ? 65533 : 65530} -1
          user: rename d/n ${type === "dir" && owner !== "user" ? "d" : "e"}/m${allowed ? "\nlstat d/n => ENOENT" : " => EPERM"}
        `
        )
        add(
          `onto a ${type} in a sticky directory of ${whose(directoryOwner)}, it being ${whose(owner)}`,
          `
          make dir d 01777
          make ${type} d/n
          lchown d/n ${owner === "user" ? 65533 : 65530} -1
          chown d ${directoryOwner === "user" ? 65533 : 65530} -1
          user: ${type === "dir" ? "mkdir m" : "put m x"}
          user: rename m d/n${allowed ? "\nlstat m => ENOENT" : ` => EPERM\nlstat d/n => type=${type}`}
        `
        )
      }
    }
  }
  for (const type of otherThanDirectories) {
    for (const target of otherThanDirectories) {
      add(
        `a ${type} onto a ${target}, which loses a name`,
        `
        make ${type} a
        make ${target} b
        link b c
        a = lstat a
        c = lstat c
        tick
        rename a b
        lstat a => ENOENT
        lstat b => ino=$a.ino type=${type}
        lstat c => ino=$c.ino nlink=1 ctime>$c.ctime mtime=$c.mtime
      `
      )
    }
    add(
      `a ${type} onto a directory: EISDIR; a directory onto a ${type}: ENOTDIR`,
      `
      make ${type} a
      mkdir d
      ${changing("d", [], "rename a d => EISDIR")}
      ${changing("a", [], "rename d a => ENOTDIR")}
      lstat a => type=${type}
      lstat d => type=dir
    `
    )
    add(
      `two names of one ${type}: nothing happens`,
      `
      make ${type} a
      link a b
      ${changing("a", [], "rename a b")}
      lstat a => nlink=2
      lstat b => nlink=2
    `
    )
  }
  add(
    "a directory onto an empty one",
    `
    mkdir a
    put a/f x
    mkdir b
    a = stat a
    rename a b
    stat b => ino=$a.ino
    readdir b => names=f
    stat a => ENOENT
  `
  )
  add(
    "a directory onto one that is not empty: ENOTEMPTY",
    `
    mkdir a
    mkdir b
    put b/f x
    ${changing("b", [], "rename a b => ENOTEMPTY|EEXIST")}
    rename b a
    readdir a => names=f
  `
  )
  add(
    "link counts of the directories",
    `
    mkdir d
    mkdir e
    mkdir d/a
    mkdir e/b
    rename d/a e/a
    stat d => nlink=2
    stat e => nlink=4
    rename e/a e/b
    stat e => nlink=3
    rename e/b e/c
    stat e => nlink=3
    put e/f x
    rename e/f d/f
    stat d => nlink=2
    stat e => nlink=3
  `
  )
  add(
    "a directory's .. is its new parent",
    `
    mkdir d
    mkdir d/a
    mkdir e
    e = stat e
    rename d/a e/a
    stat e/a/.. => ino=$e.ino
    here = stat .
    chdir e/a
    stat ../.. => ino=$here.ino
  `
  )
  add(
    "a directory that is held open, or is the working directory, goes along",
    `
    mkdir d
    put d/f x
    d = open d O_RDONLY
    root2: chdir d
    rename d e
    root2: get f => data=x
    openat $d f O_RDONLY
    root2: put g y
    get e/g => data=y
  `
  )
  add(
    "an open file goes along",
    `
    put a hello
    f = open a O_RDWR
    rename a b
    write $f J 0
    get b => data=Jello
    put a other
    rename a b
    read $f 5 0 => data=Jello
    get b => data=other
    fstat $f => nlink=0
  `
  )
  add(
    "a directory into itself: EINVAL",
    `
    mkdir d
    mkdir d/e
    mkdir d/e/f
    ${changing("d", [], "rename d d/x => EINVAL\nrename d d/e/f/x => EINVAL\nrename d d/e => EINVAL|ENOTEMPTY")}
    rename d/e d => ENOTEMPTY|EEXIST
    rename d/e/f d => ENOTEMPTY|EEXIST
  `
  )
  add(
    ". and .. cannot be renamed or replaced",
    `
    mkdir d
    mkdir d/e
    rename d/. x => EBUSY|EINVAL
    rename d/.. x => EBUSY|EINVAL
    rename d/e d/. => EBUSY|EINVAL
    rename d/e d/.. => EBUSY|EINVAL
    rename d/e/.. x => EBUSY|EINVAL
  `
  )
  add("EXDEV to another filesystem", "put a x\nrename a /dev/bickford-none => EXDEV")
  add(
    "a symlink is renamed, not what it leads to",
    "put f x\nsymlink f l\nrename l m\nlstat m => type=symlink\nget f => data=x\nput g y\nrename g m\nlstat m => type=regular\nget f => data=x"
  )
  add(
    "a directory of another's that one may not write cannot move to another parent: EACCES",
    `
    make dir d 0777
    make dir e 0777
    make dir d/a 0755
    user: rename d/a e/a => EACCES
    user: rename d/a d/b
    chmod d/b 0777
    user: rename d/b e/b
    lstat e/b => type=dir
  `
  )
  add(
    "the missing source comes first, then what is wrong with the target",
    `
    mkdir d
    put f x
    rename none d => ENOENT
    rename none none2/x => ENOENT
    rename none f/x => ENOTDIR
    rename f none/x => ENOENT
    rename f f/x => ENOTDIR
  `
  )
  add(
    "a name of 255 bytes",
    `put f x\nrename f ${"n".repeat(255)}\nget ${"n".repeat(255)} => data=x\nrename ${"n".repeat(255)} f`
  )
  add(
    "into a directory that was removed: ENOENT",
    `
    mkdir d
    put f x
    chdir d
    root2: rmdir d
    root2: get f => data=x
    rename ../f f => ENOENT
    root2: get f => data=x
  `
  )
  add(
    "a tree of three levels moves with all that is in it",
    `
    mkdir a
    mkdir a/b
    mkdir a/b/c
    put a/b/c/f x
    mkdir z
    rename a/b z/b
    get z/b/c/f => data=x
    stat a/b/c/f => ENOENT
    rename z/b/c a/c
    get a/c/f => data=x
    readdir z/b => 0
  `
  )
})

export const renameat2 = group("renameat2", (add) => {
  for (const type of fileTypes) {
    add(
      `NOREPLACE of a ${type}: works on a free name, EEXIST on another`,
      `
      make ${type} a
      renameat2 a b RENAME_NOREPLACE
      lstat b => type=${type}
      put c x
      ${changing("b", [], "renameat2 b c RENAME_NOREPLACE => EEXIST\nrenameat2 c b RENAME_NOREPLACE => EEXIST\nrenameat2 b b RENAME_NOREPLACE => EEXIST")}
    `
    )
    for (const partner of ["regular", "dir", "symlink"] as const) {
      add(
        `EXCHANGE of a ${type} and a ${partner}`,
        `
        mkdir d
        mkdir e
        make ${type} d/a
        make ${partner} e/b
        a = lstat d/a
        b = lstat e/b
        ${changing("d", ["mtime", "ctime"], "renameat2 d/a e/b RENAME_EXCHANGE")}
        lstat d/a => ino=$b.ino type=${partner} nlink=$b.nlink ctime>$b.ctime mtime=$b.mtime
        lstat e/b => ino=$a.ino type=${type} nlink=$a.nlink ctime>$a.ctime mtime=$a.mtime
        lstat d => nlink=${partner === "dir" ? 3 : 2}
        lstat e => nlink=${type === "dir" ? 3 : 2}
        rename e/b f
        lstat e => nlink=2
      `
      )
    }
    if (type !== "dir") {
      add(
        `WHITEOUT of a ${type} leaves a character device 0, 0`,
        `
        make ${type} a
        a = lstat a
        renameat2 a b RENAME_WHITEOUT
        lstat a => type=char major=0 minor=0 nlink=1 mode=0 uid=0 ino!=$a.ino
        lstat b => type=${type} ino=$a.ino
        unlink a
      `
      )
    }
  }
  add(
    "EXCHANGE needs both",
    "put a x\nrenameat2 a none RENAME_EXCHANGE => ENOENT\nrenameat2 none a RENAME_EXCHANGE => ENOENT\nget a => data=x"
  )
  add(
    "EXCHANGE of a directory and what lies in it: EINVAL",
    `
    mkdir d
    mkdir d/e
    put d/e/f x
    renameat2 d d/e RENAME_EXCHANGE => EINVAL
    renameat2 d/e d RENAME_EXCHANGE => EINVAL
    renameat2 d/e/f d RENAME_EXCHANGE => EINVAL
    get d/e/f => data=x
  `
  )
  add(
    "EXCHANGE of two directories, neither empty",
    `
    mkdir d
    put d/f one
    mkdir e
    put e/f two
    renameat2 d e RENAME_EXCHANGE
    get d/f => data=two
    get e/f => data=one
  `
  )
  add(
    "EXCHANGE of two names of one file",
    "put a x\nlink a b\nrenameat2 a b RENAME_EXCHANGE\nlstat a => nlink=2\nlstat b => nlink=2"
  )
  add(
    "EXCHANGE: .. of directories in different places",
    `
    mkdir d
    mkdir e
    mkdir d/a
    mkdir e/b
    d = stat d
    e = stat e
    renameat2 d/a e/b RENAME_EXCHANGE
    stat d/a/.. => ino=$d.ino
    stat e/b/.. => ino=$e.ino
  `
  )
  add(
    "EXCHANGE in a sticky directory needs both to be one's own",
    `
    make dir d 01777
    user: put d/a x
    other: put d/b y
    user: renameat2 d/a d/b RENAME_EXCHANGE => EPERM
    user: put d/c z
    user: renameat2 d/a d/c RENAME_EXCHANGE
    get d/a => data=z
  `
  )
  add(
    "EXCHANGE or NOREPLACE, not both; nor flags nobody knows",
    `
    put a x
    put b y
    renameat2 a b RENAME_EXCHANGE|RENAME_NOREPLACE => EINVAL
    renameat2 a b RENAME_EXCHANGE|RENAME_WHITEOUT => EINVAL
    renameat2 a b 8 => EINVAL
    renameat2 a b 0x80000000 => EINVAL
    get a => data=x
  `
  )
  add(
    "WHITEOUT replaces the target, and is root's alone",
    `
    put a x
    put b y
    renameat2 a b RENAME_WHITEOUT
    get b => data=x
    lstat a => type=char
    user: put c z
    renameat2 b c RENAME_WHITEOUT|RENAME_NOREPLACE => EEXIST
  `
  )
  add("no flags is rename", "put a x\nput b y\nrenameat2 a b 0\nget b => data=x")
})
