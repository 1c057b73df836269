/** The options of fuse-native, as `mount` takes them. */
import { PathFilesystem } from "@bickford/backends"
import type { MountOptions } from "@bickford/session"
import type { Operations } from "./Operations.ts"
import type { Timeouts } from "./callbacks.ts"

/** What `new Fuse(mnt, ops, opts)` may be told. */
export interface FuseOptions {
  /** Writes every request and reply to stderr. */
  readonly debug?: boolean
  /** Detaches what is mounted there first. */
  readonly force?: boolean
  /** Makes the mountpoint, and the directories above it. */
  readonly mkdir?: boolean
  /** Milliseconds after which a caller gets ETIMEDOUT, for all operations or by name with a `default`; false: never. Default 15000. */
  readonly timeout?: number | false | { readonly [operation in keyof Operations | "default"]?: number | false }
  readonly allowOther?: boolean
  readonly allowRoot?: boolean
  /** As it is in any case when the process ends by itself or by a signal. */
  readonly autoUnmount?: boolean
  readonly defaultPermissions?: boolean
  readonly blkdev?: boolean
  readonly blksize?: number
  readonly maxRead?: number
  readonly fsname?: string
  readonly subtype?: string
  /** Seconds that the kernel may trust names, likewise attributes. Default 1. */
  readonly entryTimeout?: number
  readonly attrTimeout?: number
  /** For macOS; nothing here. */
  readonly displayFolder?: string | boolean
  readonly name?: string
}

const usualTimeout = 15_000

/** How long each operation may take. */
export const timeoutsOf = ({ timeout = usualTimeout }: FuseOptions): Timeouts => {
  if (timeout === false) return () => 0
  if (typeof timeout === "number") return () => timeout
  return (operation) => {
    const own = timeout[operation] ?? timeout.default ?? usualTimeout
    return own === false ? 0 : own
  }
}

/** What callbacks by path are told. */
export const pathOptionsOf = ({ attrTimeout, entryTimeout }: FuseOptions): PathFilesystem.PathOptions => ({
  // What an OPENDIR that goes on has opened is released: it is not stopped.
  interruptible: { ...PathFilesystem.leftByKilled, opendir: "never" },
  ...(attrTimeout !== undefined && { attrTimeout }),
  ...(entryTimeout !== undefined && { entryTimeout })
})

/** What `mount` is told. As with libfuse the kernel checks no permissions unless told to. */
export const mountOptionsOf = (options: FuseOptions): Omit<MountOptions, "mountpoint" | "backend"> => ({
  defaultPermissions: options.defaultPermissions ?? false,
  allowOther: (options.allowOther ?? false) || (options.allowRoot ?? false),
  ...(options.blkdev !== undefined && { blkdev: options.blkdev }),
  ...(options.blksize !== undefined && { blksize: options.blksize }),
  ...(options.maxRead !== undefined && { maxRead: options.maxRead }),
  ...(options.fsname !== undefined && { fsname: options.fsname }),
  ...(options.subtype !== undefined && { subtype: options.subtype })
})
