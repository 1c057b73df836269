import { changing, fileTypes, group, ownTypes } from "../table.ts"

const accesses = [
  ["O_RDONLY", 4],
  ["O_WRONLY", 2],
  ["O_RDWR", 6]
] as const

export const open = group("open", (add) => {
  // Who asks for what, with which bits; the two other classes have the opposite ones.
  for (const [who, asClass, shift] of [
    ["user", "owner", 6],
    ["mate", "group", 3],
    ["other", "others", 0]
  ] as const) {
    for (let bits = 0; bits < 8; bits++) {
      const mode = Array.from({ length: 3 }, (_, i) => (i * 3 === shift ? bits : 7 - bits) << (i * 3)).reduce(
        (a, b) => a | b
      )
      for (const type of ["regular", "fifo", "dir"] as const) {
        add(
          `${asClass} with ${bits.toString(8)} and a ${type}: open and access agree`,
          `
          make ${type} n
          chown n 65533 65533
          ${type === "fifo" ? "keep = open n O_RDWR" : ""}
          chmod n 0${mode.toString(8)}
          ${accesses
            .map(([access, needed]) => {
              const outcome =
                type === "dir" && access !== "O_RDONLY" ? " => EISDIR" : (bits & needed) !== needed ? " => EACCES" : ""
              return `${who}: open n ${access}|O_NONBLOCK${outcome}`
            })
            .join("\n")}
          ${[
            ["R_OK", 4],
            ["W_OK", 2],
            ["X_OK", 1],
            ["R_OK|W_OK|X_OK", 7]
          ]
            .map(
              ([name, needed]) => `${who}: access n ${name}${(bits & Number(needed)) === needed ? "" : " => EACCES"}`
            )
            .join("\n")}
        `
        )
      }
      add(
        `${asClass} with ${bits.toString(8)} on a directory: listing, searching, changing`,
        `
        make dir n 0777
        put n/f x
        chmod n/f 0666
        chown n 65533 65533
        chmod n 0${mode.toString(8)}
        ${who}: readdir n${(bits & 4) !== 0 ? " => names=f" : " => EACCES"}
        ${who}: stat n/f${(bits & 1) !== 0 ? "" : " => EACCES"}
        ${who}: stat n/none => ${(bits & 1) !== 0 ? "ENOENT" : "EACCES"}
        ${who}: chdir n${(bits & 1) !== 0 ? "\n" + who + ": chdir .." : " => EACCES"}
        ${who}: put n/new x${(bits & 3) === 3 ? "" : " => EACCES"}
        ${who}: unlink n/f${(bits & 3) === 3 ? "" : " => EACCES"}
      `
      )
      add(
        `${asClass} with ${bits.toString(8)}: O_TRUNC and truncate need permission to write`,
        `
        put n hello
        chown n 65533 65533
        chmod n 0${mode.toString(8)}
        ${who}: truncate n 3${(bits & 2) !== 0 ? "" : " => EACCES"}
        stat n => size=${(bits & 2) !== 0 ? 3 : 5}
        ${who}: open n O_WRONLY|O_TRUNC${(bits & 2) !== 0 ? "" : " => EACCES"}
        ${who}: open n O_RDWR|O_TRUNC${(bits & 6) === 6 ? "" : " => EACCES"}
        stat n => size=${(bits & 2) !== 0 ? 0 : 5}
      `
      )
    }
  }
  add(
    "root reads and writes whatever the mode, runs only what anybody may",
    `
    put f x
    chmod f 0
    open f O_RDWR
    access f R_OK|W_OK
    access f X_OK => EACCES
    chmod f 0001
    access f X_OK
    make dir d 0
    put d/f x
    access d R_OK|W_OK|X_OK
  `
  )
  add(
    "O_TRUNC: empty, mtime and ctime change",
    `
    put f hello
    ${changing("f", ["mtime", "ctime"], "open f O_WRONLY|O_TRUNC")}
    stat f => size=0 blocks=0
  `
  )
  add(
    "O_TRUNC of an empty file changes mtime and ctime",
    `
    make regular f
    ${changing("f", ["mtime", "ctime"], "open f O_WRONLY|O_TRUNC")}
  `
  )
  add(
    "O_TRUNC shows to who has the file open",
    `
    put f hello
    a = open f O_RDWR
    open f O_RDWR|O_TRUNC
    fstat $a => size=0
    read $a 10 0 => 0
    write $a x 3
    read $a 10 0 => data=%00%00%00x
  `
  )
  add(
    "O_TRUNC on directories, and where it is not allowed",
    `
    mkdir d
    open d O_RDONLY|O_TRUNC => EISDIR
    open d O_WRONLY|O_TRUNC => EISDIR
    put f x
    user: open f O_WRONLY|O_TRUNC => EACCES
    stat f => size=1
  `
  )
  add(
    "opening changes no time",
    `put f x\nmkdir d\n${changing("f", [], "open f O_RDWR\nopen f O_RDONLY\nopen f O_WRONLY|O_APPEND")}\n${changing("d", [], "open d O_RDONLY")}`
  )
  for (const type of fileTypes) {
    add(
      `O_DIRECTORY of a ${type}`,
      `
      make ${type} n
      open n O_RDONLY|O_DIRECTORY|O_NONBLOCK${type === "dir" ? "" : type === "symlink" ? " => ENOENT" : " => ENOTDIR"}
    `
    )
    add(
      `O_PATH of a ${type}: neither read nor written, but looked at`,
      `
      make ${type} n
      p = open n O_PATH|O_NOFOLLOW
      fstat $p => type=${type}
      read $p 1 => EBADF
      write $p x => EBADF
      ftruncate $p 0 => EBADF|EINVAL
      linkat $p '' AT_FDCWD m AT_EMPTY_PATH${type === "dir" ? " => EPERM" : ""}
    `
    )
  }
  for (const type of ownTypes) {
    add(
      `O_NOFOLLOW of a symlink to a ${type}: ELOOP, and fine for the ${type} itself`,
      `
      make ${type} n
      symlink n l
      open l O_RDONLY|O_NOFOLLOW|O_NONBLOCK => ELOOP
      open l O_RDONLY|O_NOFOLLOW|O_CREAT => ELOOP
    `
    )
    add(
      `O_CREAT|O_EXCL of a ${type}: EEXIST`,
      `make ${type} n\nopen n O_RDWR|O_CREAT|O_EXCL 0644 => EEXIST\nuser: open n O_RDWR|O_CREAT|O_EXCL 0644 => EEXIST`
    )
  }
  add(
    "O_DIRECTORY|O_NOFOLLOW of a symlink: ENOTDIR",
    "mkdir d\nsymlink d l\nopen l O_RDONLY|O_DIRECTORY|O_NOFOLLOW => ENOTDIR|ELOOP"
  )
  add(
    "a directory cannot be written: EISDIR",
    `
    mkdir d
    open d O_WRONLY => EISDIR
    open d O_RDWR => EISDIR
    open d O_RDONLY|O_CREAT 0644 => EISDIR
    open . O_RDWR => EISDIR
    a = open d O_RDONLY
    read $a 1 => EISDIR
    write $a x => EBADF
  `
  )
  add("the root of a filesystem cannot be written either", "open .. O_WRONLY => EISDIR\nopen .. O_RDONLY|O_DIRECTORY")
  add(
    "reading what was opened to write, and the other way: EBADF",
    `
    put f x
    r = open f O_RDONLY
    w = open f O_WRONLY
    write $r x => EBADF
    read $w 1 => EBADF
    ftruncate $r 0 => EINVAL|EBADF
    fallocate $r 0 0 1 => EBADF
  `
  )
  add(
    "O_NOATIME: for the owner and root only",
    "user: put f x\nuser: chmod f 0666\nuser: open f O_RDONLY|O_NOATIME\nother: open f O_RDONLY|O_NOATIME => EPERM\nopen f O_RDONLY|O_NOATIME"
  )
  add(
    "O_APPEND: every write goes to the end, wherever the descriptor stands",
    `
    put f hello
    a = open f O_RDWR|O_APPEND
    b = open f O_RDWR
    write $a 1 => 1
    lseek $a 0 SEEK_SET
    write $a 2 => 1
    get f => data=hello12
    write $b xx 7
    write $a 3 => 1
    get f => data=hello12xx3
    write $a 4 0 => 1
    get f => data=hello12xx34
    setfl $a 0
    write $a J 0
    get f => data=Jello12xx34
    setfl $b O_APPEND
    write $b end => 3
    get f => data=Jello12xx34end
  `
  )
  add(
    "two who append lose nothing",
    `
    make regular f 0666
    a = open f O_WRONLY|O_APPEND
    b = user: open f O_WRONLY|O_APPEND
    ${Array.from({ length: 10 }, (_, i) => `write $a a${i}\nuser: write $b b${i}`).join("\n")}
    stat f => size=40
    get f => data=${Array.from({ length: 10 }, (_, i) => `a${i}b${i}`).join("")}
  `
  )
  add(
    "openat: relative to a descriptor, ENOTDIR for a file's, EBADF for none",
    `
    mkdir d
    put d/f x
    d = open d O_RDONLY
    f = openat $d f O_RDONLY
    openat $f g O_RDONLY => ENOTDIR
    openat 9999 f O_RDONLY => EBADF
    openat $d ../d/f O_RDONLY
  `
  )
  add(
    "EACCES where a new file may not be made, though an old one may be opened",
    `
    make dir d 0755
    make regular d/f 0666
    user: open d/f O_RDWR|O_CREAT 0644
    user: open d/g O_RDWR|O_CREAT 0644 => EACCES
    user: open d/f O_RDWR|O_CREAT|O_EXCL 0644 => EEXIST
  `
  )
  add(
    "by a file handle, after a rename",
    `
    mkdir d
    put d/f x
    a = handle d/f
    read $a 10 => data=x
    b = handle d
    fstat $b => type=dir
  `
  )
})

export const programs = group("programs", (add) => {
  add(
    "a program runs; without permission it does not",
    `
    program p
    run p => 0
    user: run p => 0
    chmod p 0644
    run p => EACCES
    chmod p 0700
    user: run p => EACCES
    run p => 0
    put f x
    run f => EACCES
    chmod f 0755
    run f => ENOEXEC
    mkdir d
    run d => EACCES
    run none => ENOENT
  `
  )
  add(
    "a program that runs cannot be written: ETXTBSY",
    `
    program p
    c = spawn p
    open p O_WRONLY => ETXTBSY
    open p O_RDWR => ETXTBSY
    open p O_RDWR|O_TRUNC => ETXTBSY
    open p O_RDONLY|O_TRUNC => ETXTBSY
    truncate p 0 => ETXTBSY
    stat p => size>0
    open p O_RDONLY
    chmod p 0700
    utimens p 1.0 1.0
    link p q
    rename p r
    stop $c
    open r O_WRONLY
  `
  )
  add(
    "a program that is being written cannot run: ETXTBSY",
    `
    program p
    a = open p O_WRONLY
    run p => ETXTBSY
    close $a
    run p => 0
  `
  )
  add(
    "a program that was replaced by rename runs on",
    `
    program p
    c = spawn p
    program q
    rename q p
    run p => 0
    stop $c
  `
  )
})
