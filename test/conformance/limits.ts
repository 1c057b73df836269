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

const limits: { readonly [Name in PlaceName]?: ReadonlyArray<Limit> } = { path: ofPaths }

/** Why this failure is no surprise; undefined when it is one. */
export const reasonFor = (place: PlaceName, group: string, failure: string): string | undefined =>
  limits[place]?.find(({ failures }) => failures.test(`${group}: ${failure}`))?.reason
