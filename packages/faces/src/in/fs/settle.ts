/** What is new belongs to whom it was made for, with the permissions that were asked for. */
import type { PathAttributes } from "@bickford/backends"
import { statMode } from "@bickford/protocol"
import type { RequestContext } from "@bickford/session"
import type { Maybe } from "./FsLike.ts"
import { chain, inTurn, recover, codeOf } from "./maybe.ts"

const { S_IFDIR, S_IFLNK, S_IFMT, S_ISGID } = statMode
const permissions = 0o7777

/** How a file's attributes are looked at and set. */
export interface Ownership {
  readonly attributes: (path: string) => Maybe<PathAttributes>
  readonly chown: (path: string, uid: number, gid: number) => Maybe<void>
  readonly chmod: (path: string, mode: number) => Maybe<void>
}

const directoryOf = (path: string): string => path.slice(0, Math.max(path.lastIndexOf("/"), 1))

/** Who may not give files away keeps them. */
const unlessForbidden = (change: () => Maybe<void>): Maybe<void> =>
  recover(change, (error) => {
    if (codeOf(error) === "EPERM" && process.geteuid?.() !== 0) return undefined
    throw error
  })

/**
 * Gives what was made at `path` its owner, its group (the directory's, where that has set-group-ID) and its permissions, where
 * the filesystem has not done so by itself: it may know this process only, and its umask.
 */
export const settle = (
  { attributes, chmod, chown }: Ownership,
  path: string,
  mode: number | undefined,
  { gid, uid }: RequestContext
): Maybe<void> =>
  chain(attributes(path), (made) =>
    chain(attributes(directoryOf(path)), (directory) => {
      const inherits = (directory.mode & S_ISGID) !== 0
      const group = inherits ? (directory.gid ?? gid) : gid
      const isDirectory = (made.mode & S_IFMT) === S_IFDIR
      const wanted = mode === undefined ? undefined : isDirectory && inherits ? mode | S_ISGID : mode
      const owned = (made.uid ?? process.getuid?.() ?? 0) === uid && (made.gid ?? process.getgid?.() ?? 0) === group
      const steps: Array<() => Maybe<void>> = []
      if (!owned) steps.push(() => unlessForbidden(() => chown(path, uid, group)))
      // A change of the owner takes set-user-ID and set-group-ID away.
      const hasMode = wanted === undefined || ((made.mode & permissions) === wanted && (owned || wanted <= 0o777))
      if (!hasMode && (made.mode & S_IFMT) !== S_IFLNK) steps.push(() => chmod(path, wanted))
      return inTurn(steps)
    })
  )
