/** All inodes, by node id: a dense array, since node ids are given out and used again here. */
import type { Timespec, U64 } from "@bickford/protocol"
import { Inode } from "../posix/inode.ts"

export interface NodeTimeouts {
  readonly entryValid: Timespec
  readonly attrValid: Timespec
}

/** Below this many places it is not worth to give any back. */
const smallest = 1024

export const makeNodes = ({ attrValid, entryValid }: NodeTimeouts) => {
  const nodes: Array<Inode | undefined> = [undefined]
  const free: Array<number> = []
  // One counter for all: a pair of node id and generation never comes twice.
  let generation = 0
  let removals = 0

  /** Gives back the places at the end that hold nothing. */
  const cut = (): void => {
    let length = nodes.length
    while (length > 1 && nodes[length - 1] === undefined) length--
    if (length === nodes.length) return
    nodes.length = length
    let kept = 0
    for (const id of free) if (id < length) free[kept++] = id
    free.length = kept
  }

  return {
    get: (nodeid: U64): Inode | undefined => nodes[typeof nodeid === "number" ? nodeid : -1],

    add: (mode: number, uid: number, gid: number, rdev: number, now: Timespec): Inode => {
      const id = free.pop() ?? nodes.length
      const inode = new Inode(id, generation, mode, uid, gid, rdev, now, entryValid, attrValid)
      nodes[id] = inode
      return inode
    },

    remove: (inode: Inode): void => {
      generation++
      nodes[inode.ino] = undefined
      free.push(inode.ino)
      // Seldom: to set an array's length costs more than all the rest of a request.
      if (++removals < smallest || removals < nodes.length / 2) return
      removals = 0
      cut()
    }
  }
}
