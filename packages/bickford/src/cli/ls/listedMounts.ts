/** The FUSE mounts of this machine, and who serves them. */
import { askStatus, socketIn, type MountStatus } from "@bickford/daemon"
import { countIsolates, findHolder, type Health, isFuse, type MountEntry, mountTable, probe } from "@bickford/transport"
import * as Effect from "effect/Effect"

export interface ListedMount {
  readonly mountpoint: string
  readonly source: string
  /** As the kernel has it, `fuse.bickford`. */
  readonly type: string
  readonly state: Health
  /** The process that serves it, where that may be known: Linux 6.18, and the right to look at the process. */
  readonly pid?: number
  /** The name of that process. */
  readonly program?: string
  /** How many of its threads serve the mount over io_uring, where several may. */
  readonly threads?: number
  /** The mount's name in the daemon that was asked, if it keeps the mount. */
  readonly name?: string
}

/** Whose mount it is: the `user_id` that FUSE mounts have. */
const ownerOf = ({ superOptions }: MountEntry): number | undefined => {
  const [, uid] = /(?:^|,)user_id=(\d+)/.exec(superOptions) ?? []
  return uid === undefined ? undefined : Number(uid)
}

const isOfBickford = ({ type }: MountEntry): boolean => type === "fuse.bickford"

/** What is on top at each mountpoint, in the order of the table. */
const onTop = (table: ReadonlyArray<MountEntry>): ReadonlyArray<MountEntry> =>
  Array.from(new Map(table.map((mount) => [mount.mountpoint, mount])).values())

const listed = (mount: MountEntry, kept: ReadonlyArray<MountStatus>): Effect.Effect<ListedMount> =>
  Effect.gen(function* () {
    const { device, mountpoint, source, type } = mount
    const state = yield* probe(mount)
    const holder = state === "dead" ? undefined : yield* findHolder(device)
    const threads = holder === undefined ? 0 : yield* countIsolates(holder.pid, device)
    const name = kept.find((one) => one.mountpoint === mountpoint)?.name
    return {
      mountpoint,
      source,
      type,
      state,
      ...(holder === undefined ? {} : { pid: holder.pid, program: holder.name }),
      ...(threads === 0 ? {} : { threads }),
      ...(name === undefined ? {} : { name })
    }
  })

/**
 * The mounts of `uid`, of everybody for root: those of Bickford, or those of any FUSE filesystem (`every`). Names are
 * those of the daemon at `runtimeDirectory`, if one runs there. Takes three seconds when a server does not answer.
 */
export const listMounts = (
  runtimeDirectory: string,
  uid: number,
  every: boolean
): Effect.Effect<ReadonlyArray<ListedMount>> =>
  Effect.gen(function* () {
    const kept = yield* askStatus(socketIn(runtimeDirectory)).pipe(
      Effect.map(({ mounts }) => mounts),
      Effect.orElseSucceed((): ReadonlyArray<MountStatus> => [])
    )
    const mine = onTop(mountTable()).filter(
      (mount) => isFuse(mount) && (every || isOfBickford(mount)) && (uid === 0 || ownerOf(mount) === uid)
    )
    return yield* Effect.forEach(mine, (mount) => listed(mount, kept), { concurrency: 16 })
  })
