/** Random system calls, as driver.c reads them, on few names and few descriptors so that they meet. */
import type { Who } from "../conformance/driver.ts"
import type { Random } from "./random.ts"

export interface Call {
  readonly who: Who
  readonly line: string
}

const names = ["a", "b", "d"]
const folders = ["", "", "d/", "d/d/"]

/** Every path that a call can make. */
export const allPaths: ReadonlyArray<string> = [...new Set(folders)].flatMap((folder) =>
  names.map((name) => `${folder}${name}`)
)

const callers: ReadonlyArray<Who> = ["root", "root", "root", "root2", "user", "mate"]
// The first that a driver opens is 4.
const descriptors = Array.from({ length: 5 }, (_, i) => 4 + i)
const modes = ["0", "0644", "0600", "0755", "0777", "0640", "01777", "02775", "04755", "06777", "02644"]
// Not -1 twice: the kernel asks a FUSE server to clear set-user-ID then, whoever calls, and says no more.
const owners = ["-1", "0", "65533", "65532"]
const flags = [
  "O_RDONLY",
  "O_WRONLY",
  "O_RDWR",
  "O_RDWR",
  "O_RDWR|O_CREAT",
  "O_RDWR|O_CREAT",
  "O_RDWR|O_CREAT",
  "O_RDWR|O_CREAT|O_EXCL",
  "O_WRONLY|O_TRUNC",
  "O_RDWR|O_CREAT|O_TRUNC",
  "O_RDWR|O_APPEND",
  "O_WRONLY|O_CREAT|O_APPEND",
  "O_RDONLY|O_DIRECTORY",
  "O_RDONLY|O_NOFOLLOW",
  "O_PATH"
]
const attributes = ["user.a", "user.b", "trusted.a", "user.", "none.a"]
const targets = ["a", "d", "../a", "d/a", "none", "."]
const allocations = [
  "0",
  "FALLOC_FL_KEEP_SIZE",
  "FALLOC_FL_PUNCH_HOLE|FALLOC_FL_KEEP_SIZE",
  "FALLOC_FL_PUNCH_HOLE|FALLOC_FL_KEEP_SIZE",
  "FALLOC_FL_ZERO_RANGE",
  "FALLOC_FL_ZERO_RANGE|FALLOC_FL_KEEP_SIZE"
]
const locks = ["F_RDLCK", "F_WRLCK", "F_UNLCK"]
const renames = ["0", "RENAME_NOREPLACE", "RENAME_EXCHANGE", "RENAME_EXCHANGE", "RENAME_WHITEOUT", "3"]

const makeLine = (random: Random): string => {
  const { below, pick } = random
  const path = (): string => (below(30) === 0 ? pick(["none/a", "a/", ".", "d/..", "''"]) : pick(folders) + pick(names))
  const fd = (): number => pick(descriptors)
  const mode = (): string => pick(modes)
  const offset = (): number =>
    pick([0, 0, 1, 100, 4095, 4096, 5000, 8192, 131_072, below(20_000), below(300_000), 2 ** 33 + below(5000)])
  const length = (): number => pick([0, 1, 10, 4096, 4097, below(5000), below(5000), below(70_000), below(200_000)])
  const time = (): string => pick(["NOW", "OMIT", "1.000000001", "-1.5", "5000000000.0", `${below(1000)}.0`])

  // As often as they are written here.
  const kinds: ReadonlyArray<() => string> = [
    () => `open ${path()} ${pick(flags)}|O_NONBLOCK ${mode()}`,
    () => `open ${path()} ${pick(flags)}|O_NONBLOCK ${mode()}`,
    () => `open ${path()} O_RDWR|O_CREAT|O_NONBLOCK ${mode()}`,
    () => `open ${path()} O_RDWR|O_CREAT|O_NONBLOCK 0666`,
    () => `open ${pick(names)} O_RDWR|O_CREAT|O_NONBLOCK 0666`,
    () => `open ${pick(names)} O_RDWR|O_CREAT|O_NONBLOCK 0666`,
    () => `open ${pick(names)} O_RDWR|O_NONBLOCK`,
    () => `open ${pick([".", "d", "d/d"])} O_TMPFILE|${pick(["O_RDWR", "O_WRONLY", "O_RDWR|O_EXCL"])} ${mode()}`,
    () => `openat ${fd()} ${pick(names)} ${pick(flags)}|O_NONBLOCK ${mode()}`,
    () => `close ${fd()}`,
    () => `dup ${fd()}`,
    () => `setfl ${fd()} ${pick(["O_NONBLOCK", "O_NONBLOCK|O_APPEND"])}`,
    () => `lseek ${fd()} ${offset()} ${pick(["SEEK_SET", "SEEK_CUR"])}`,
    () => `write ${fd()} ${pick(["x", "hello", "%00%01"])}`,
    () => `write ${fd()} ${pick(["x", "hello"])} ${offset()}`,
    () => `fill ${fd()} ${length()} ${below(256)} ${offset()}`,
    () => `fill ${fd()} ${length()} ${below(256)} ${offset()}`,
    () => `fill ${fd()} ${length()} ${below(256)}`,
    () => `sum ${fd()} ${length()} ${offset()}`,
    () => `sum ${fd()} 200000 ${offset()}`,
    () => `sum ${fd()} ${length()}`,
    () => `truncate ${path()} ${offset()}`,
    () => `ftruncate ${fd()} ${offset()}`,
    () => `ftruncate ${fd()} ${below(10_000)}`,
    () => `fallocate ${fd()} ${pick(allocations)} ${offset()} ${length()}`,
    () => `posix_fallocate ${fd()} ${offset()} ${length()}`,
    () => `copy ${fd()} ${offset()} ${fd()} ${offset()} ${length()}`,
    () => `mmap ${fd()} 0 8192 PROT_READ|PROT_WRITE MAP_SHARED`,
    () =>
      `mmap ${fd()} ${pick([0, 0, 4096])} ${pick([4096, 8192, 65_536])} ${pick(["PROT_READ", "PROT_READ|PROT_WRITE"])} ${pick(["MAP_SHARED", "MAP_SHARED", "MAP_PRIVATE"])}`,
    () => `mread ${below(3)} ${below(8000)} ${below(200)}`,
    () => `mput ${below(3)} ${below(8000)} ${pick(["m", "mapped"])}`,
    () => `munmap ${below(3)}`,
    () => `fsync ${fd()}`,
    () => `fstat ${fd()}`,
    () => `fchmod ${fd()} ${mode()}`,
    () => `fchown ${fd()} ${pick(owners)} ${pick(owners.slice(1))}`,
    () => `futimens ${fd()} ${time()} ${time()}`,
    () => `linkfd ${fd()} ${path()}`,
    () => `setlk ${fd()} ${pick(locks)} ${below(4)} ${below(4)}`,
    () => `getlk ${fd()} ${pick(["F_RDLCK", "F_WRLCK"])} ${below(4)} ${below(4)}`,
    () => `ofd_setlk ${fd()} ${pick(locks)} ${below(4)} ${below(4)}`,
    () => `flock ${fd()} ${pick(["LOCK_SH", "LOCK_EX", "LOCK_UN"])}|LOCK_NB`,
    () => `stat ${path()}`,
    () => `lstat ${path()}`,
    () => `lstat ${path()}`,
    () => `get ${path()}`,
    () => `put ${path()} ${pick(["one", "two"])}`,
    () => `mkdir ${path()} ${mode()}`,
    () => `mkdir ${pick(["d", "d/d"])} 0777`,
    () => `mkdir ${pick(["d", "d/d"])} 0777`,
    () => `rmdir ${path()}`,
    () => `unlink ${path()}`,
    () => `unlink ${path()}`,
    () => `unlinkat ${fd()} ${pick(names)} ${pick(["0", "AT_REMOVEDIR"])}`,
    () => `symlink ${pick(targets)} ${path()}`,
    () => `readlink ${path()}`,
    () => `link ${path()} ${path()}`,
    () => `link ${path()} ${path()}`,
    () => `rename ${path()} ${path()}`,
    () => `rename ${path()} ${path()}`,
    () => `rename ${path()} ${path()}`,
    () => `renameat2 ${path()} ${path()} ${pick(renames)}`,
    () => `renameat2 ${path()} ${path()} RENAME_EXCHANGE`,
    () => `mkfifo ${path()} ${mode()}`,
    () =>
      `mknod ${path()} ${pick(["S_IFREG", "S_IFCHR", "S_IFBLK", "S_IFSOCK", "S_IFIFO", "S_IFDIR"])} ${mode()} 4000 1`,
    () => `chmod ${path()} ${mode()}`,
    () => `chmod ${path()} 0777`,
    () => `chown ${path()} ${pick(owners)} ${pick(owners.slice(1))}`,
    () => `lchown ${path()} ${pick(owners)} ${pick(owners.slice(1))}`,
    () => `utimens ${path()} ${time()} ${time()} ${pick(["0", "AT_SYMLINK_NOFOLLOW"])}`,
    () => `touch ${path()}`,
    () => `access ${path()} ${pick(["F_OK", "R_OK", "W_OK", "X_OK", "R_OK|W_OK"])}`,
    () => `umask ${pick(["0", "022", "077"])}`,
    () => `readdir ${pick([".", "d", "d/d"])}`,
    () => `readdir ${path()}`,
    () =>
      `setxattr ${path()} ${pick(attributes)} ${pick(["v", "''", "value"])} ${pick(["0", "XATTR_CREATE", "XATTR_REPLACE"])}`,
    () => `getxattr ${path()} ${pick(attributes)} ${pick([0, 1, 100])}`,
    () => `listxattr ${path()}`,
    () => `removexattr ${path()} ${pick(attributes)}`
  ]
  return pick(kinds)()
}

export const randomCall = (random: Random): Call => ({ who: random.pick(callers), line: makeLine(random) })

/** How each sequence begins: with something there, and something open. */
export const beginning: ReadonlyArray<Call> = [
  { who: "root", line: "umask 0" },
  { who: "root", line: "mkdir d 0777" },
  { who: "root", line: "mkdir d/d 0777" },
  ...(["root", "root2", "user", "mate"] as const).flatMap((who) => [
    { who, line: "open a O_RDWR|O_CREAT 0666" },
    { who, line: "open b O_RDWR|O_CREAT 0666" },
    { who, line: "open d/a O_RDWR|O_CREAT 0666" },
    { who, line: "mmap 4 0 8192 PROT_READ|PROT_WRITE MAP_SHARED" }
  ])
]
