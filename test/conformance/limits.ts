/** Why a filesystem written as callbacks by path does not do all that the table tells of. */
import type { PlaceName } from "./places.ts"

interface Limit {
  /** Matches the group and the failure, as they are printed. */
  readonly failures: RegExp
  readonly reason: string
}

const ofPaths: ReadonlyArray<Limit> = [
  { failures: /^O_TMPFILE:/, reason: "a file without a name has no path to call back with" },
  { failures: /WHITEOUT/, reason: "no callback of rename makes the device that is left behind" },
  { failures: /rmdir of a directory/, reason: "what was removed has no path to call back with" },
  {
    failures: /FALLOC_FL_(PUNCH_HOLE|ZERO_RANGE|KEEP_SIZE)/,
    reason: "the filesystem of the tests keeps a file in one buffer, and has no holes"
  },
  {
    failures: /^io: .*(gap|blocks)|^holes:/,
    reason: "the filesystem of the tests keeps a file in one buffer, and has no holes"
  },
  { failures: /EFBIG/, reason: "the filesystem of the tests keeps a file in one buffer, which ends at 4 GiB" },
  { failures: /btime|birth/, reason: "attributes by path have no time of birth" },
  { failures: /statvfs/, reason: "the filesystem of the tests counts nothing" },
  { failures: /^xattr:/, reason: "the filesystem of the tests takes any name for an attribute" },
  {
    failures: /^mmap: writing through it .*has atime/,
    reason: "a mapping's first fault reads the file, and the kernel keeps the attributes that it was told before"
  },
  { failures: /O_NOATIME/, reason: "the filesystem of the tests is not told how a file was opened when it is read" },
  {
    failures: /^privileges: .*becomes 0767|goes when one who is not in it/,
    reason: "the filesystem of the tests knows the caller's user, not all the groups"
  }
]

/** What no filesystem of Node's has. */
const ofFaces: ReadonlyArray<Limit> = [
  {
    failures:
      /(make|gave|of a|:|a|an) (fifo|socket|block|char)|mkfifo|mknod|bind|S_IF(IFO|SOCK|BLK|CHR)|\bfifos?\b|\bsockets?\b/,
    reason: "a Node filesystem has files, directories and links"
  },
  { failures: /xattr|EOPNOTSUPP/, reason: "a Node filesystem has no extended attributes" },
  { failures: /O_TMPFILE/, reason: "a file without a name has no path" },
  { failures: /EXCHANGE|WHITEOUT/, reason: "a Node filesystem has no method for it" },
  { failures: /mask|btime|birth/, reason: "a mount of paths tells of no time of birth" },
  { failures: /EILSEQ/, reason: "paths, and what links lead to, are strings" },
  { failures: /EFBIG|4 GiB/, reason: "files are kept in memory, up to `maxFileSize`" },
  {
    failures: /FALLOC_FL|SEEK_|^holes|punch|gap|blocks|ZERO_RANGE|sparse/,
    reason: "a Node filesystem has no holes, and counts blocks its own way"
  },
  {
    failures: /^privileges: |^chown: set-group-ID of a regular that is not executable/,
    reason: "a Node filesystem is not told who writes or changes the owner"
  },
  { failures: /statvfs/, reason: "the filesystem counts nothing, or its own way" },
  { failures: /has nlink 2, not = \d+/, reason: "the filesystem does not count the subdirectories of a directory" },
  { failures: /rmdir of a directory (that is open|somebody is in)/, reason: "what was removed has no path" },
  {
    failures: /(has|=\S*|>\S*) (atime|mtime|ctime)|O_NOATIME/,
    reason: "the filesystem sets times by rules and to a precision of its own"
  }
]

/** Of those that have no hard links. */
const withoutLinks: ReadonlyArray<Limit> = [
  { failures: /\blink(at|fd)?\b.*gave EPERM|^link: |link to: /, reason: "the filesystem has no hard links" }
]

/** memfs checks permissions by itself, as the owner of the process, root too. */
const ofMemfs: ReadonlyArray<Limit> = [
  { failures: /gave EACCES/, reason: "memfs checks permissions as the owner of the process, whoever calls" },
  { failures: /symlink.*has ino/, reason: "memfs renames what a link leads to: the face makes the link anew" },
  { failures: /has nlink 4, not = 3/, reason: "memfs counts a directory that was moved in its old place too" },
  { failures: /has ino \d+, not != \d+/, reason: "memfs gives the number of a removed file to another" }
]

/** Effect's service has no `lchown` and no `lutimes`. */
const ofEffect: ReadonlyArray<Limit> = [
  {
    failures: /(symlink|lstat l ).*(has (uid|ino) |gave EPERM)/,
    reason: "Effect's FileSystem sets no owner and no times of a symbolic link, which is the process's then"
  }
]

/** What fuse-native's operations cannot tell, or are not told. */
const ofFuseNative: ReadonlyArray<Limit> = [
  {
    failures: /FALLOC_FL|fallocate|SEEK_|^holes|punch|gap|blocks|EFBIG|4 GiB/,
    reason: "there are no operations for space and holes, and the filesystem of the test keeps a file in one buffer"
  },
  { failures: /O_TMPFILE|a file without a name|tmpfile/, reason: "a file without a name has no path" },
  { failures: /EXCHANGE|WHITEOUT/, reason: "there is no operation for it" },
  { failures: /mask|btime|birth/, reason: "the operations tell of no time of birth" },
  {
    failures: /gave (EACCES|EPERM)|has (uid|gid) |set-group-ID|^privileges: /,
    reason: "the operations are not told who calls: what is made belongs to root"
  },
  { failures: /rmdir of a directory (that is open|somebody is in)/, reason: "what was removed has no path" },
  {
    failures: /(has|=\S*|>\S*) (atime|mtime|ctime)|O_NOATIME/,
    reason: "the operations set times, to a millisecond, and the filesystem of the test by rules of its own"
  },
  {
    failures: /^xattr: |link counts/,
    reason: "the filesystem of the test takes any name for an attribute, and counts its own way"
  }
]

const limits: { readonly [Name in PlaceName]?: ReadonlyArray<Limit> } = {
  path: ofPaths,
  memfs: [...ofFaces, ...ofMemfs],
  memfsWhole: [...ofFaces, ...ofMemfs, ...withoutLinks],
  vfs: [...ofFaces, ...withoutLinks],
  justBash: [...ofFaces, ...withoutLinks],
  nodeFs: ofFaces,
  effect: [...ofFaces, ...ofEffect],
  fuseNative: ofFuseNative
}

/** Why this failure is no surprise; undefined when it is one. */
export const reasonFor = (place: PlaceName, group: string, failure: string): string | undefined =>
  limits[place]?.find(({ failures }) => failures.test(`${group}: ${failure}`))?.reason
