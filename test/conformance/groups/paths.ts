/** What every call says of a path that leads nowhere, or too far. */
import { group } from "../table.ts"

/** Calls with one path, written P; some need a file called `there`. */
const calls: {
  readonly [name: string]: { readonly call: string; readonly makes?: boolean; readonly follows?: boolean }
} = {
  access: { call: "access P F_OK", follows: true },
  chdir: { call: "chdir P", follows: true },
  chmod: { call: "chmod P 0600", follows: true },
  chown: { call: "chown P 0 0", follows: true },
  lchown: { call: "lchown P 0 0" },
  "link from": { call: "link P new" },
  "link to": { call: "link there P", makes: true },
  lstat: { call: "lstat P" },
  mkdir: { call: "mkdir P", makes: true },
  mkfifo: { call: "mkfifo P", makes: true },
  mknod: { call: "mknod P S_IFREG 0644", makes: true },
  open: { call: "open P O_RDONLY", follows: true },
  "open O_CREAT": { call: "open P O_RDWR|O_CREAT 0644", makes: true, follows: true },
  "open O_CREAT|O_EXCL": { call: "open P O_RDWR|O_CREAT|O_EXCL 0644", makes: true },
  readlink: { call: "readlink P" },
  "rename from": { call: "rename P new" },
  "rename to": { call: "rename there P", makes: true },
  rmdir: { call: "rmdir P" },
  setxattr: { call: "setxattr P user.a v", follows: true },
  getxattr: { call: "getxattr P user.a", follows: true },
  listxattr: { call: "listxattr P", follows: true },
  removexattr: { call: "removexattr P user.a", follows: true },
  stat: { call: "stat P", follows: true },
  statvfs: { call: "statvfs P", follows: true },
  symlink: { call: "symlink x P", makes: true },
  truncate: { call: "truncate P 0", follows: true },
  unlink: { call: "unlink P" },
  utimensat: { call: "utimens P NOW NOW", follows: true }
}

export const paths = group("paths", (add) => {
  for (const [name, { call, follows, makes }] of Object.entries(calls)) {
    const on = (path: string): string => call.replace(/\bP\b/, path)
    const prepare = "put there x"
    add(
      `${name}: ENOTDIR when a file stands where a directory should`,
      `
      ${prepare}
      ${["regular", "fifo", "block", "char", "socket"].map((type) => `make ${type} ${type}\n${on(`${type}/x`)} => ENOTDIR`).join("\n")}
    `
    )
    add(`${name}: ENOENT when a directory on the way is missing`, `${prepare}\n${on("none/x")} => ENOENT`)
    add(`${name}: ENOENT for an empty path`, `${prepare}\n${on("''")} => ENOENT`)
    add(
      `${name}: ENAMETOOLONG for a name of 256 bytes`,
      `
      ${prepare}
      ${on("n".repeat(256))} => ENAMETOOLONG
      ${on(`${"n".repeat(256)}/x`)} => ENAMETOOLONG
      ${on("ä".repeat(128))} => ENAMETOOLONG
    `
    )
    add(
      `${name}: a name of 255 bytes is none too long`,
      `
      ${prepare}
      ${on("n".repeat(255))}${makes === true ? "" : " => ENOENT"}
    `
    )
    add(
      `${name}: ENAMETOOLONG for a path of 4096 bytes, and not for one of 4095`,
      `
      ${prepare}
      ${on(`${"./".repeat(2047)}nn`)} => ENAMETOOLONG
      ${on(`${"./".repeat(2047)}n`)}${makes === true ? "" : " => ENOENT"}
    `
    )
    add(
      `${name}: EACCES when a directory on the way may not be searched`,
      `
      make dir d 0777
      user: mkdir d/own
      user: put d/own/there x
      user: put there x
      user: chmod d/own 0666
      user: ${on("d/own/there")} => EACCES
      user: chmod d/own 0777
      chmod d 0
      user: ${on("d/own/none")} => EACCES
    `
    )
    add(
      `${name}: ELOOP for symlinks in a circle`,
      `
      ${prepare}
      symlink b a
      symlink a b
      symlink self self
      ${on("a/x")} => ELOOP
      ${on("self/x")} => ELOOP
      ${follows === true ? `${on("self")} => ELOOP` : ""}
    `
    )
    add(`${name}: EFAULT for a path at an address that is none`, `${prepare}\n${on("<bad>")} => EFAULT`)
  }
  add(
    "40 symlinks in a row are followed, 41 are not",
    `
    put f x
    symlink f l1
    ${Array.from({ length: 40 }, (_, i) => `symlink l${i + 1} l${i + 2}`).join("\n")}
    stat l40 => type=regular
    stat l41 => ELOOP
  `
  )
  add(
    "a path with a trailing slash must be a directory's",
    `
    put f x
    stat f/ => ENOTDIR
    lstat f/ => ENOTDIR
    unlink f/ => ENOTDIR
    rename f/ g => ENOTDIR
    link f/ g => ENOTDIR
    open f/ O_RDONLY => ENOTDIR
    chmod f/ 0600 => ENOTDIR
    truncate f/ 0 => ENOTDIR
    open new/ O_CREAT|O_RDWR 0644 => EISDIR
    mkfifo new/ => ENOENT
    mknod new/ S_IFREG 0644 => ENOENT
    symlink x new/ => ENOENT
    link f new/ => ENOENT
    rename f new/ => ENOTDIR
    mkdir new/
    stat new/ => type=dir
    rename new/ newer/
    rmdir newer/
  `
  )
  add(
    "a trailing slash follows a symlink",
    `
    mkdir d
    symlink d l
    lstat l => type=symlink
    lstat l/ => type=dir
    rmdir l/ => ENOTDIR
    unlink l/ => ENOTDIR
    stat l/. => type=dir
  `
  )
  add(
    "dots lead where they should",
    `
    mkdir d
    mkdir d/e
    here = stat .
    stat d/.. => ino=$here.ino
    stat d/e/../.. => ino=$here.ino
    d = stat d
    stat d/. => ino=$d.ino
    rename d/e e
    stat e/.. => ino=$here.ino
  `
  )
  add(
    "names are bytes: spaces, newlines, control characters, anything but UTF-8",
    `
    put a%20b 1
    put a%0ab 2
    put %01 3
    put %ff%fe 4
    put %c3 5
    put %ef%bb%bfbom 6
    put bom 7
    get a%20b => data=1
    get a%0ab => data=2
    get %01 => data=3
    get %ff%fe => data=4
    get %c3 => data=5
    get %ef%bb%bfbom => data=6
    get bom => data=7
    get %fe%ff => ENOENT
    readdir . => 7
  `
  )
  add(
    "names are told apart by case and by form",
    `
    put a 1
    put A 2
    put %c3%a4 3
    put a%cc%88 4
    get a => data=1
    get A => data=2
    get %c3%a4 => data=3
    get a%cc%88 => data=4
  `
  )
  add(
    "names that look like numbers, or like parts of objects",
    `
    put 0 1
    put 00 2
    put __proto__ 3
    put constructor 4
    put toString 5
    get 0 => data=1
    get 00 => data=2
    get __proto__ => data=3
    get constructor => data=4
    get toString => data=5
    get hasOwnProperty => ENOENT
    readdir . => 5
  `
  )
})
