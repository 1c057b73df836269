/** What comes into being by mkdir, mkfifo, mknod, symlink, open and bind: whose it is, its mode, its times. */
import { changing, fileTypes, group } from "../table.ts"

/** Calls that make a file of a type; P is its path, M its mode. */
const makers: {
  readonly [name: string]: {
    readonly call: string
    readonly type: string
    readonly privileged?: boolean
    readonly modeless?: boolean
  }
} = {
  mkdir: { call: "mkdir P M", type: "dir" },
  mkfifo: { call: "mkfifo P M", type: "fifo" },
  "mknod of a fifo": { call: "mknod P S_IFIFO M", type: "fifo" },
  "mknod of a regular file": { call: "mknod P S_IFREG M", type: "regular" },
  "mknod of a socket": { call: "mknod P S_IFSOCK M", type: "socket" },
  "mknod of a block device": { call: "mknod P S_IFBLK M 1 2", type: "block", privileged: true },
  "mknod of a character device": { call: "mknod P S_IFCHR M 1 3", type: "char", privileged: true },
  symlink: { call: "symlink target P", type: "symlink", modeless: true },
  "open O_CREAT": { call: "open P O_CREAT|O_WRONLY M", type: "regular" },
  "open O_CREAT|O_EXCL": { call: "open P O_CREAT|O_EXCL|O_RDONLY M", type: "regular" },
  bind: { call: "bind P", type: "socket", modeless: true }
}

export const creation = group("creation", (add) => {
  for (const [name, { call, modeless = false, privileged = false, type }] of Object.entries(makers)) {
    const make = (path: string, mode = "0644"): string => call.replace(/\bP\b/, path).replace(/\bM\b/, mode)
    const who = privileged ? "root" : "user"
    const nlink = type === "dir" ? 2 : 1
    if (!modeless) {
      add(
        `${name}: the mode is the one given, less the umask`,
        `
        umask 0
        ${["0755", "0151", "0", "0777"].map((mode, i) => `${make(`a${i}`, mode)}\nlstat a${i} => mode=${mode} type=${type}`).join("\n")}
        umask 077
        ${make("b", "0755")}
        lstat b => mode=0700
        umask 0177
        ${make("c", "0777")}
        lstat c => mode=0600
        umask 0777
        ${make("d", "0777")}
        lstat d => mode=0
      `
      )
    }
    add(
      `${name}: it belongs to who made it and to their group`,
      `
      ${who}: ${make("n")}
      lstat n => type=${type} uid=${privileged ? 0 : 65533} gid=${privileged ? 0 : 65533} nlink=${nlink}
      ${privileged ? "" : `mate: ${make("m")}\nlstat m => uid=65532 gid=65532`}
    `
    )
    add(
      `${name}: in a set-group-ID directory it gets the directory's group`,
      `
      mkdir d
      chown d 65530 65531
      chmod d 02777
      ${who}: ${make("d/n")}
      lstat d/n => gid=65531 uid=${privileged ? 0 : 65533}
      ${type === "dir" ? "lstat d/n => mode=02644\nmkdir d/n/deep 0755\nlstat d/n/deep => gid=65531 mode=02755" : ""}
    `
    )
    add(
      `${name}: its times are now, and the directory's change and status change too`,
      `
      mkdir d
      ${changing("d", ["mtime", "ctime"], `${make("d/n")}\nn = lstat d/n\nd = lstat d`)}
      lstat d/n => atime>$before.mtime mtime>$before.mtime ctime>$before.ctime
      clock => time>=$n.mtime
    `
    )
    add(
      `${name}: the directory counts its subdirectories`,
      `
      mkdir d
      lstat d => nlink=2
      ${make("d/n")}
      lstat d => nlink=${type === "dir" ? 3 : 2}
    `
    )
    add(
      `${name}: EACCES when the directory may not be written`,
      `
      mkdir d 0755
      ${privileged ? "other: mknod d/n S_IFIFO 0644" : `other: ${make("d/n")}`} => EACCES
      user: ${privileged ? "mknod d/n S_IFIFO 0644" : make("d/n")} => EACCES
      before = lstat d
      lstat d => nlink=2 mtime=$before.mtime
      chown d 65530 65531
      chmod d 0575
      ${privileged ? "" : `other: ${make("d/n")} => EACCES\nmate: ${make("d/n")}`}
    `
    )
    if (!name.startsWith("open O_CREAT") || name.includes("EXCL")) {
      const taken = name === "bind" ? "EADDRINUSE" : "EEXIST"
      for (const existing of fileTypes) {
        add(
          `${name}: ${taken} when a ${existing} has the name`,
          `
          make ${existing} n
          mkdir d 0777
          make ${existing} d/n
          ${changing("d", [], `${make("d/n")} => ${taken}`)}
          ${privileged ? "" : `user: ${make("n")} => ${taken}`}
        `
        )
      }
    }
    add(
      `${name}: ENOENT in a directory that was removed`,
      `
      mkdir d
      chdir d
      root2: rmdir d
      ${make("n")} => ENOENT
    `
    )
    if (privileged) add(`${name}: EPERM for who is not root`, `user: ${make("n")} => EPERM\nlstat n => ENOENT`)
  }

  add(
    "mknod: the device number is kept",
    `
    mknod a S_IFCHR 0600 1 3
    mknod b S_IFBLK 0600 259 70000
    mknod c S_IFCHR 0600 4095 1048575
    stat a => type=char major=1 minor=3 size=0
    stat b => type=block major=259 minor=70000
    stat c => major=4095 minor=1048575
    link a d
    stat d => major=1 minor=3
  `
  )
  add(
    "mknod: no type means a regular file, a directory or a symlink cannot be made",
    `
    mknod a 0 0644
    stat a => type=regular size=0
    mknod b S_IFDIR 0755 => EPERM
    mknod b S_IFLNK 0755 => EINVAL
    lstat b => ENOENT
  `
  )
  add(
    "mknod: a fifo carries bytes",
    `
    mkfifo f
    r = open f O_RDONLY|O_NONBLOCK
    w = open f O_WRONLY|O_NONBLOCK
    write $w hello => 5
    read $r 10 => data=hello
    stat f => size=0
  `
  )
  add("open O_WRONLY|O_NONBLOCK of a fifo that nobody reads: ENXIO", "mkfifo f\nopen f O_WRONLY|O_NONBLOCK => ENXIO")
  add(
    "open of a fifo waits for the other side",
    `
    mkfifo f 0666
    start user: open f O_RDONLY
    waits user
    w = open f O_WRONLY
    finish user
    close $w
  `
  )
  add("open of a socket: ENXIO", "make socket s\nopen s O_RDONLY => ENXIO\nbind t\nopen t O_RDWR => ENXIO")
  add("open of a device with no driver: ENXIO", "mknod c S_IFCHR 0666 4000 1\nopen c O_RDONLY => ENXIO", {
    refusedOnFuse: "the mount may forbid devices"
  })
  add(
    "bind, connect: a socket is found by its path",
    `
    bind s
    connect s
    rename s t
    connect t
    connect s => ENOENT
    put f x
    connect f => ECONNREFUSED
  `
  )
  add(
    "connect: write permission is needed",
    "bind s\nchmod s 0444\nuser: connect s => EACCES\nchmod s 0222\nuser: connect s"
  )
  add(
    "mkdir: set-user-ID and set-group-ID are not taken from the mode, sticky is",
    `
    umask 0
    mkdir a 07777
    lstat a => mode=01777
  `
  )
  add(
    "mkdir: . and .. exist, and what ends in one too",
    `
    mkdir . => EEXIST
    mkdir .. => EEXIST
    mkdir none/. => ENOENT
    mkdir d
    mkdir d/. => EEXIST
    mkdir d/.. => EEXIST
  `
  )
  add(
    "open O_CREAT: set-user-ID and sticky are taken from the mode",
    `
    umask 0
    open a O_CREAT|O_WRONLY 07777
    stat a => mode=07777
    user: open b O_CREAT|O_WRONLY 04755
    stat b => mode=04755
  `
  )
  add(
    "open O_CREAT: set-group-ID is lost when the directory's group is not the maker's",
    `
    mkdir d
    chown d 0 65531
    chmod d 02777
    umask 0
    user: umask 0
    mate: umask 0
    user: open d/a O_CREAT|O_WRONLY 02755
    stat d/a => mode=0755 gid=65531
    user: open d/b O_CREAT|O_WRONLY 02744
    stat d/b => mode=02744
    mate: open d/c O_CREAT|O_WRONLY 02755
    stat d/c => mode=02755 gid=65531
    open d/e O_CREAT|O_WRONLY 02755
    stat d/e => mode=02755
    user: mknod d/f S_IFREG 02755
    stat d/f => mode=0755
    user: mkdir d/g 0777
    stat d/g => mode=02777
  `
  )
  add(
    "open O_CREAT: a file that is there keeps its mode, its owner and its times",
    `
    user: put f hello
    user: chmod f 0606
    ${changing("f", [], "open f O_CREAT|O_RDWR 0777")}
    stat f => mode=0606 uid=65533 size=5
    ${changing(".", [], "open f O_CREAT|O_RDWR 0777")}
  `
  )
  add(
    "open O_CREAT: a mode without permissions does not hinder this opening",
    `
    user: umask 0
    a = user: open f O_CREAT|O_RDWR 0
    user: write $a hello => 5
    user: read $a 5 0 => data=hello
    user: open f O_RDWR => EACCES
    user: open f O_RDONLY => EACCES
  `
  )
  add(
    "open O_CREAT: through a dangling symlink it makes the target; with O_EXCL it does not",
    `
    symlink target l
    open l O_CREAT|O_EXCL|O_RDWR 0644 => EEXIST
    lstat target => ENOENT
    open l O_CREAT|O_RDWR 0644
    lstat target => type=regular
    symlink target m
    open m O_CREAT|O_EXCL|O_RDWR 0644 => EEXIST
    open m O_CREAT|O_NOFOLLOW|O_RDWR 0644 => ELOOP
  `
  )
  add(
    "symlink: size and target are what was given",
    `
    symlink target l
    lstat l => type=symlink size=6 mode=0777
    readlink l => target=target
    symlink ${"t".repeat(4095)} long
    lstat long => size=4095
    readlink long => 4095
    symlink ${"t".repeat(4096)} longer => ENAMETOOLONG
    symlink '' empty => ENOENT
    symlink %ff%fe bytes
    readlink bytes => target=%ff%fe
  `
  )
  add(
    "symlink: readlink cuts at the buffer's size",
    "symlink target l\nreadlink l 3 => target=tar\nreadlink l 0 => EINVAL"
  )
  add(
    "symlink: readlink of anything else: EINVAL",
    `
    ${fileTypes
      .filter((type) => type !== "symlink")
      .map((type) => `make ${type} ${type}\nreadlink ${type} => EINVAL`)
      .join("\n")}
  `
  )
  add(
    "symlink: an existing target is no matter",
    `
    put f x
    symlink f l
    get l => data=x
    stat l => type=regular
    unlink f
    stat l => ENOENT
    lstat l => type=symlink
  `
  )
  add(
    "symlink: permissions of the link itself are not looked at",
    "user: symlink f l\nput f x\nother: get l => data=x\nother: readlink l => target=f"
  )
})
