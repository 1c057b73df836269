/**
 * Whether others could put something else in the place of a path. Every directory from `/` on counts, and every
 * symbolic link on the way, as the kernel walks it: whoever may rename an entry of one of them decides what the path
 * names.
 */
import { files } from "@bickford/transport"
import { closeSync, lstatSync, openSync, readlinkSync, type Stats } from "node:fs"
import { userInfo } from "node:os"
import { dirname, join, resolve } from "node:path"
import { readRegularFile } from "./regularFile.ts"

const O_PATH = 0o10000000
const sticky = 0o1000
const groupWritable = 0o020
const writableByAll = 0o002
/** As many links as the kernel follows (path_resolution(7)). */
const linksMax = 40
const accessAcl = "system.posix_acl_access"

/** What others could change, and what its owner can do about it. */
export interface Weakness {
  /** A sentence's beginning, as `/p belongs to user 1000 (mode 755)`. */
  readonly reason: string
  readonly remedy: string
}

const entryAt = (path: string): Stats | undefined => lstatSync(path, { throwIfNoEntry: false })

/** Whoever owns `/` can replace everything; in a user namespace that does not map root, root has that number. */
const isTrustedOwner = (uid: number): boolean => uid === 0 || uid === process.geteuid?.() || uid === entryAt("/")?.uid

/** The user's name; undefined for a number that no user has, as containers run programs. */
const ownName = (): string | undefined => {
  try {
    return userInfo().username
  } catch {
    return undefined
  }
}

/**
 * True for a group that a user has alone, as `groups` (group(5)) has it: of the user's name, without other members. Of
 * a group that is not listed, the number must be the user's.
 */
export const hasAlone = (
  groups: string,
  gid: number,
  user: { readonly uid: number; readonly name: string }
): boolean => {
  const line = groups
    .split("\n")
    .map((text) => text.split(":"))
    .find((fields) => fields.length > 2 && Number(fields[2]) === gid)
  if (line === undefined) return gid === user.uid
  const [name, , , members = ""] = line
  return name === user.name && members.split(",").every((member) => member === "" || member === user.name)
}

/** True for this user's primary group, when nobody else is in it (a user-private group, with the umask 002). Not root's. */
const isPrivateGroup = (gid: number): boolean => {
  const uid = process.geteuid?.() ?? 0
  const name = ownName()
  return (
    uid !== 0 &&
    name !== undefined &&
    gid === process.getegid?.() &&
    hasAlone(readRegularFile("/etc/group"), gid, { uid, name })
  )
}

/** With an ACL, the group's bits are its mask, and say what users may do whom it names (acl(5)). */
const hasAcl = (path: string): boolean => {
  const fd = openSync(path, O_PATH)
  try {
    return files.fs_getxattr(fd, accessAcl, new Uint8Array(0)) > 0
  } finally {
    closeSync(fd)
  }
}

const isWritableByOthers = (path: string, { gid, mode }: Stats): boolean =>
  (mode & writableByAll) !== 0 || ((mode & groupWritable) !== 0 && !(isPrivateGroup(gid) && !hasAcl(path)))

const modeOf = ({ gid, mode }: Stats): string => `(mode ${(mode & 0o7777).toString(8)}, group ${gid})`

const owned = (path: string, found: Stats): Weakness | undefined =>
  isTrustedOwner(found.uid)
    ? undefined
    : {
        reason: `${path} belongs to user ${found.uid} ${modeOf(found)}`,
        remedy: `chown ${process.geteuid?.() ?? 0} ${path}`
      }

/** What is wrong with a file that nobody else may write, or a directory in which nobody else may make anything. */
export const weaknessOfEntry = (path: string, found: Stats): Weakness | undefined => {
  const foreign = owned(path, found)
  if (foreign !== undefined || found.isSymbolicLink() || !isWritableByOthers(path, found)) return foreign
  const acl = hasAcl(path) ? ", whose ACL counts as the group" : ""
  return { reason: `${path} can be written by others ${modeOf(found)}${acl}`, remedy: `chmod go-w ${path}` }
}

/** A sticky directory leaves each entry to its owner, who is looked at next. */
const weaknessOnTheWay = (path: string, found: Stats): Weakness | undefined =>
  found.isDirectory() && (found.mode & sticky) !== 0 ? owned(path, found) : weaknessOfEntry(path, found)

const componentsOf = (path: string): ReadonlyArray<string> =>
  path.split("/").filter((name) => name !== "" && name !== ".")

/**
 * Why others than root and this user could replace what a path names, or undefined when they could not: looks at
 * each directory on the way, each link, and at what is there in the end, a directory or a file. A component that is
 * missing ends the walk. Throws what lstat(2) fails with.
 *
 * What a group may write is refused as what all may write is, but for a user's private group. A directory that others
 * may write is accepted when it is sticky.
 */
export const findWeakness = (path: string): Weakness | undefined => {
  const components = [...componentsOf(resolve(path))]
  let place = "/"
  let links = 0
  for (;;) {
    const weakness = weaknessOnTheWay(place, lstatSync(place))
    const name = components.shift()
    if (weakness !== undefined || name === undefined) return weakness
    const entry = name === ".." ? dirname(place) : join(place, name)
    const found = entryAt(entry)
    if (found === undefined) return undefined
    if (!found.isSymbolicLink()) {
      place = entry
      continue
    }
    const foreign = owned(entry, found)
    if (foreign !== undefined) return foreign
    if (++links > linksMax) throw new Error(`${path} has too many symbolic links`)
    const target = readlinkSync(entry)
    components.unshift(...componentsOf(target))
    if (target.startsWith("/")) place = "/"
  }
}
