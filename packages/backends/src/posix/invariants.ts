/** What always holds of a POSIX filesystem between two operations. For tests: it walks the whole tree. */
import { limits, printable } from "@bickford/protocol"
import type { Filesystem } from "./filesystem.ts"
import { type Inode, isDirectory, isRegular } from "./inode.ts"
import type { Used } from "./usage.ts"

/** An inode that the walk has met, and under how many names. */
interface Met {
  readonly inode: Inode
  readonly path: string
  names: number
  subdirectories: number
}

/** A sentence for each entry of a directory that is out of order, and the entries themselves. */
const listed = (fs: Filesystem, { inode, path }: Met): readonly [ReadonlyArray<string>, ReadonlyArray<Inode>] => {
  const wrong: Array<string> = []
  const entries: Array<Inode> = []
  const directory = fs.directory(inode)
  if (directory === undefined) return [[`${path}: is a directory without entries' table`], []]
  let last = 0
  for (const { entry, name, off } of directory.after(0)) {
    const where = `${path}/${printable(String(name))}`
    if (Number(off) <= last) wrong.push(`${where}: its cookie ${off} is not beyond the one before it, ${last}`)
    last = Number(off)
    if (entry === undefined) continue
    if (directory.get(name) !== entry) wrong.push(`${where}: is listed, and found to be something else`)
    if (fs.node(entry.ino) !== entry) wrong.push(`${where}: names inode ${entry.ino}, which is not there`)
    entries.push(entry)
  }
  if (directory.empty !== (entries.length === 0))
    wrong.push(`${path}: says empty ${directory.empty}, has ${entries.length} entries`)
  return [wrong, entries]
}

/** What is wrong with one inode once the whole tree was walked. */
const wrongWith = (fs: Filesystem, { inode, names, path, subdirectories }: Met): ReadonlyArray<string> => {
  const nlink = isDirectory(inode) ? 2 + subdirectories : names
  const wrong: Array<string> = []
  if (inode.nlink !== nlink) wrong.push(`${path}: nlink is ${inode.nlink}, ${nlink} links lead to it`)
  if (isRegular(inode)) {
    const blocks = inode.content === undefined ? 0 : fs.bytes(inode).blocks * 8
    if (inode.blocks !== blocks) wrong.push(`${path}: is charged for ${inode.blocks} blocks, holds ${blocks}`)
  } else if (inode.blocks !== 0) wrong.push(`${path}: is charged for blocks, and is no regular file`)
  return wrong
}

/**
 * Returns a sentence for each thing that is wrong; none when all holds: entries and inodes agree, cookies ascend, link
 * counts are those of the names, and no more is reachable than `total` counts as used.
 */
export const invariantsOf = (fs: Filesystem, total: Used): ReadonlyArray<string> => {
  const root = fs.node(limits.FUSE_ROOT_ID)
  if (root === undefined) return ["there is no root"]
  const wrong: Array<string> = []
  const met = new Map<number, Met>([[root.ino, { inode: root, path: "", names: 1, subdirectories: 0 }]])
  const left = [...met.values()]
  for (let at = left.pop(); at !== undefined; at = left.pop()) {
    const [problems, entries] = listed(fs, at)
    wrong.push(...problems)
    for (const entry of entries) {
      const known = met.get(entry.ino)
      if (isDirectory(entry)) {
        at.subdirectories++
        if (known !== undefined) wrong.push(`${at.path}: the directory ${known.path} has a second name`)
        if (fs.directory(entry)?.parent !== at.inode) wrong.push(`${at.path}: inode ${entry.ino} has another parent`)
      }
      if (known !== undefined) known.names++
      else {
        const found: Met = { inode: entry, path: `${at.path}/[${entry.ino}]`, names: 1, subdirectories: 0 }
        met.set(entry.ino, found)
        if (isDirectory(entry)) left.push(found)
      }
    }
  }
  let blocks = 0
  for (const one of met.values()) {
    blocks += one.inode.blocks / 8
    wrong.push(...wrongWith(fs, one))
  }
  if (met.size > total.inodes) wrong.push(`${met.size} inodes are reachable, ${total.inodes} are counted`)
  if (blocks > total.blocks) wrong.push(`${blocks} blocks are reachable, ${total.blocks} are counted`)
  return wrong
}
