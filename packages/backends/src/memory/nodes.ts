/** All inodes, by node id: a dense array, since node ids are given out and used again here. */
import type { Timespec, U64 } from "@bickford/session"
import { Inode } from "../posix/inode.ts"

export interface NodeTimeouts {
  readonly entryValid: Timespec
  readonly attrValid: Timespec
}

const rootId = 1

export const makeNodes = ({ attrValid, entryValid }: NodeTimeouts) => {
  const nodes: Array<Inode | undefined> = [undefined]
  const free: Array<number> = []
  // One counter for all: a pair of node id and generation never comes twice.
  let generation = 0

  const nextId = (): number => {
    for (let id = free.pop(); id !== undefined; id = free.pop()) {
      // An id may lie past the end, after the array was cut, or have been given out anew since.
      if (id < nodes.length && nodes[id] === undefined) return id
    }
    return nodes.length
  }

  return {
    get: (nodeid: U64): Inode | undefined => nodes[typeof nodeid === "number" ? nodeid : -1],

    add: (mode: number, uid: number, gid: number, rdev: number, now: Timespec): Inode => {
      const id = nextId()
      const inode = new Inode(id, generation, mode, uid, gid, rdev, now, entryValid, attrValid)
      nodes[id] = inode
      return inode
    },

    remove: (inode: Inode): void => {
      generation++
      nodes[inode.ino] = undefined
      if (inode.ino < nodes.length - 1) {
        free.push(inode.ino)
        return
      }
      let length = nodes.length
      while (length > 1 && nodes[length - 1] === undefined) length--
      nodes.length = length
      if (length <= rootId + 1) free.length = 0
    }
  }
}

