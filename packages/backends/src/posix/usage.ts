/** Blocks and inodes in use, and what there is left of each: in all, and for one user. */
import { Errno } from "@bickford/session"

/** The unit in which file data is counted, bytes. */
export const blockSize = 4096

/** Limits for each user but root, EDQUOT beyond. */
export interface UserQuota {
  /** Bytes of file data, in whole blocks of 4096. */
  readonly bytes?: number
  readonly inodes?: number
}

export interface Used {
  blocks: number
  inodes: number
}

export interface Limits {
  readonly capacity: number
  readonly maxInodes: number
  readonly userQuota: UserQuota | undefined
}

export const makeUsage = ({ capacity, maxInodes, userQuota }: Limits) => {
  const blocksMax = Math.floor(capacity / blockSize)
  const userBlocksMax = Math.floor((userQuota?.bytes ?? Number.POSITIVE_INFINITY) / blockSize)
  const userInodesMax = userQuota?.inodes ?? Number.POSITIVE_INFINITY
  const total: Used = { blocks: 0, inodes: 0 }
  const users = new Map<number, Used>()

  const limited = (uid: number): boolean => userQuota !== undefined && uid !== 0
  const userBlocks = (uid: number): number => users.get(uid)?.blocks ?? 0
  const userInodes = (uid: number): number => users.get(uid)?.inodes ?? 0
  const chargeUser = (uid: number, blocks: number, inodes: number): void => {
    if (!limited(uid)) return
    const used = users.get(uid)
    if (used === undefined) users.set(uid, { blocks, inodes })
    else if (used.blocks + blocks === 0 && used.inodes + inodes === 0) users.delete(uid)
    else {
      used.blocks += blocks
      used.inodes += inodes
    }
  }

  return {
    total: total as Readonly<Used>,
    blocksMax,
    maxInodes,

    /** Blocks that `uid` may still take. */
    room: (uid: number): number => {
      const room = blocksMax - total.blocks
      return limited(uid) ? Math.min(room, userBlocksMax - userBlocks(uid)) : room
    },
    /** Why `uid` has no room: all is used, or the user's share is. */
    noRoom: (uid: number) =>
      limited(uid) && userBlocksMax - userBlocks(uid) < blocksMax - total.blocks ? Errno.EDQUOT : Errno.ENOSPC,
    /** Why `uid` may have no new inode, if so. */
    noInode: (uid: number) =>
      total.inodes >= maxInodes
        ? Errno.ENOSPC
        : limited(uid) && userInodes(uid) >= userInodesMax
          ? Errno.EDQUOT
          : undefined,
    /** Whether a file of so many blocks may become `uid`'s. */
    mayOwn: (uid: number, blocks: number): boolean =>
      !limited(uid) || (userBlocks(uid) + blocks <= userBlocksMax && userInodes(uid) < userInodesMax),

    /** Adds to what is used; negative numbers give back. */
    charge: (uid: number, blocks: number, inodes: number): void => {
      total.blocks += blocks
      total.inodes += inodes
      chargeUser(uid, blocks, inodes)
    },
    /** A file of so many blocks changes hands. */
    transfer: (from: number, to: number, blocks: number): void => {
      chargeUser(from, -blocks, -1)
      chargeUser(to, blocks, 1)
    }
  }
}

export type Usage = Pick<ReturnType<typeof makeUsage>, "room" | "noRoom" | "noInode" | "mayOwn" | "transfer">
