/** Doing what a caller asked for as that caller: whose a new file is. */
import { errnoNumbers, type Extensions } from "@bickford/protocol"
import type { RequestContext } from "@bickford/session"
import { files } from "@bickford/transport"
import type { IdMap } from "./ids.ts"

export interface Caller {
  /** `call` with the caller's ids: only root can do that, everyone else does it as himself. */
  readonly as: (context: RequestContext, extensions: Extensions | undefined, call: () => number) => number
}

export const makeCaller = (uids: IdMap, gids: IdMap): Caller => {
  const isRoot = process.geteuid?.() === 0
  if (isRoot) files.fs_know_oneself()
  const become = (uid: number, gid: number, group: number, call: () => number): number => {
    const status = files.fs_become(uid, gid, group)
    if (status < 0) return status
    try {
      return call()
    } finally {
      files.fs_be_oneself()
    }
  }
  return {
    as: (context, extensions, call) => {
      const uid = uids.toOutside(context.uid)
      const gid = gids.toOutside(context.gid)
      if (uid === undefined || gid === undefined) return -errnoNumbers.EOVERFLOW
      if (!isRoot || (uid === 0 && gid === 0)) return call()
      // The kernel tells of the one group that matters: the directory's, when the caller is in it.
      const [group] = extensions?.supplementaryGroups ?? []
      return become(uid, gid, group === undefined ? -1 : (gids.toOutside(group) ?? -1), call)
    }
  }
}
