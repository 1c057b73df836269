/** What a store uses, limited by its options and by the disk. */
import type { DatabaseSync } from "node:sqlite"
import { makeUsage } from "../posix/usage.ts"
import type { SqliteOptions } from "./options.ts"
import { prepareQuery } from "./query.ts"
import type { Counts } from "./server.ts"

/** Counts what is used as of the last commit; `diskRoom` gives the blocks of 4096 bytes that the disk has room for. */
export const countUsage = (
  db: DatabaseSync,
  { capacity, maxInodes, userQuota }: SqliteOptions,
  diskRoom: () => number,
  { blocks, inodes }: Counts
) => {
  const usage = makeUsage({
    capacity: capacity ?? Number.POSITIVE_INFINITY,
    // The largest count that a 32-bit statvfs can hold.
    maxInodes: maxInodes ?? 2 ** 32 - 1,
    userQuota
  })
  if (userQuota === undefined) usage.charge(0, blocks, inodes)
  else {
    const byUser = prepareQuery<[number, number, number]>(
      db,
      "SELECT uid, sum(blocks) / 8, count(*) FROM inode GROUP BY uid"
    )
    for (const [uid, used, count] of byUser.all()) usage.charge(uid, used, count)
  }
  const { room } = usage
  return { ...usage, room: (uid: number): number => Math.min(room(uid), diskRoom()) }
}
