/** Mounting and unmounting: root by itself, everyone else through fusermount3, with the same result. */
import { errnoNumbers, printable } from "@bickford/protocol"
import { patientTimeoutOption } from "@bickford/supervisor"
import * as Effect from "effect/Effect"
import * as Schedule from "effect/Schedule"
import type * as Scope from "effect/Scope"
import { writeFileSync } from "node:fs"
import { stat } from "node:fs/promises"
import { constants } from "node:os"
import { basename, dirname, join, resolve } from "node:path"
import { coverPlace, openUnderneath } from "./coveredPlaces.ts"
import { errnoError, errnoTag, type TransportError, transportError } from "../errors.ts"
import { fusermount3_mount, fusermount3_unmount, fusermountDetachNow, type FusermountOptions } from "./fusermount.ts"
import { close, fd, open_dev_fuse } from "../handle.ts"
import { findMount, isFuse, type MountEntry, mountTable } from "./mountinfo.ts"
import { clearMountpoint, describeMount, findBelow, findOwn, withClaim } from "./mountpoint.ts"
import { addon, type FuseHandle } from "../native.ts"
import { ownDevice } from "./ownDevices.ts"
import { type MountingDevice, mountServed, type ServeMounting, type Serving } from "./syncInit.ts"

const { EBUSY, EINVAL, ENODEV, ENOENT, ENOTCONN, EPERM } = constants.errno
// Node has no name for it.
const { ENOTBLK } = errnoNumbers

// <sys/mount.h>
const MS_RDONLY = 1
const MS_NOSUID = 2
const MS_NODEV = 4
const MS_NOEXEC = 8
const MS_SYNCHRONOUS = 16
const MS_DIRSYNC = 128
const MS_NOSYMFOLLOW = 256
const MS_NOATIME = 1024
const MS_NODIRATIME = 2048
const MS_STRICTATIME = 1 << 24
const MNT_DETACH = 2
const UMOUNT_NOFOLLOW = 8
// <sys/stat.h>
const S_IFMT = 0o170000

/** SELinux contexts of a mount, as mount(8) has them. Only root may set them, and only where SELinux is enabled. */
export interface SecurityContexts {
  /** The label of every file, and of the filesystem. */
  readonly context?: string
  /** The label of the filesystem itself. */
  readonly fscontext?: string
  /** The label of files that have none. */
  readonly defcontext?: string
  /** The label of the root. */
  readonly rootcontext?: string
}

/** What to mount where, and with which of the kernel's options. */
export interface MountDeviceOptions {
  /** An existing directory; or a file, for a filesystem whose root is one. */
  readonly mountpoint: string
  /** The source in the mount table (/proc/mounts). Default `bickford`. */
  readonly fsname?: string
  /** The type in the mount table is `fuse.SUBTYPE`; without one it is `fuse`. */
  readonly subtype?: string
  /** Lets users other than the mounting one in. Default false. */
  readonly allowOther?: boolean
  /** Has the kernel check permissions by mode, owner and group. Default false. */
  readonly defaultPermissions?: boolean
  readonly readOnly?: boolean
  /** No programs can be run from it. */
  readonly noexec?: boolean
  /**
   * Set-user-ID and set-group-ID bits and file capabilities are honoured. The filesystem says who owns what: only root may
   * have it, for a filesystem that it trusts. Default false.
   */
  readonly suid?: boolean
  /** Device nodes are devices. Only root may have it. Default false. */
  readonly dev?: boolean
  /** Every write is synchronous, as with O_SYNC (MS_SYNCHRONOUS). */
  readonly sync?: boolean
  /** Every change of a directory is synchronous (MS_DIRSYNC). */
  readonly dirsync?: boolean
  /** No symbolic link in it is followed: ELOOP (Linux 5.10). The helper does not know it before libfuse 3.17. */
  readonly nosymfollow?: boolean
  /** SELinux labels, as mount(8)'s `context=` and its kin. Only root may set them. */
  readonly securityContexts?: SecurityContexts
  /** Reading changes no times. */
  readonly noatime?: boolean
  /** Listing changes no times of directories. */
  readonly nodiratime?: boolean
  /**
   * Every read that comes to the server marks the time; without it the first one after a change, or in a day (relatime). Not passed
   * on through the helper, which does not know it.
   */
  readonly strictatime?: boolean
  /** Largest READ in bytes, at least 4096; 0, the default, sets no limit of the mount's own. */
  readonly maxRead?: number
  /**
   * Mounts a block device, `fsname`, as type `fuseblk` (libfuse's `blkdev`; root only). The kernel opens the device exclusively, and
   * sends BMAP and SYNCFS too; an unmount waits for DESTROY, and so returns when `destroy` has run. Default false.
   */
  readonly blkdev?: boolean
  /** Block size in bytes of a `blkdev` mount, a power of two from 512. Default 512 (`fs/fuse/inode.c`). */
  readonly blksize?: number
  /** Mounts through the helper even as root; also says how to run it. */
  readonly fusermount?: FusermountOptions
}

/** A connection that is mounted and not served yet. */
export interface MountedDevice {
  readonly handle: FuseHandle
  /** Absolute, without links. */
  readonly mountpoint: string
  /** As in /proc/self/mountinfo: `MAJOR:MINOR`. */
  readonly device: string
  /** A descriptor (O_PATH) of what it covers; -1 where that is not known. */
  readonly underneath: number
}

const isRoot = (): boolean => process.geteuid?.() === 0

/** The absolute path without links. Does not enter the last component: what is mounted there may not answer. */
const resolvePath = (path: string): Effect.Effect<string, TransportError> =>
  Effect.gen(function* () {
    const absolute = resolve(path)
    const resolved = yield* Effect.promise(() => addon.resolve_path(absolute))
    if (typeof resolved === "string") return resolved
    // A dead mount may refuse even to be looked at; the folder that it lies in does not.
    const parent = yield* Effect.promise(() => addon.resolve_path(dirname(absolute)))
    if (typeof parent === "string" && findMount(join(parent, basename(absolute))) !== undefined)
      return join(parent, basename(absolute))
    const hint =
      resolved === -ENOENT
        ? `the mountpoint ${absolute} does not exist`
        : `the mountpoint ${absolute} cannot be reached`
    return yield* Effect.fail(errnoError("realpath", resolved, hint))
  })

/** What lies on an own mount that was one too many goes first: its maker finds it likewise. */
const withdraw = (mountpoint: string, device: string, how?: FusermountOptions): Effect.Effect<void> =>
  unmountDevice({ mountpoint, device }, { lazy: true, ...(how === undefined ? {} : { fusermount: how }) }).pipe(
    Effect.retry({ schedule: Schedule.spaced(10), while: (error) => error._tag === "EBUSY" }),
    patientTimeoutOption("10 seconds"),
    Effect.ignore
  )

/** The mountpoint's file type, or why nothing can be mounted there. */
const rootmode = (mountpoint: string): Effect.Effect<number, TransportError> =>
  Effect.gen(function* () {
    const mode = yield* Effect.promise(() => addon.file_mode(mountpoint))
    if (mode >= 0) return mode & S_IFMT
    if (mode === -ENOTCONN) {
      const message = `${mountpoint}: a mount whose server is gone was left here (ENOTCONN); unmount it first (fusermount3 -u ${mountpoint})`
      return yield* Effect.fail(transportError("stale_mountpoint", "stat", ENOTCONN, message))
    }
    return yield* Effect.fail(errnoError("stat", mode, `the mountpoint ${mountpoint} cannot be used`))
  })

/** The device number of /dev/fuse: major 10, minor 229 (Documentation/admin-guide/devices.txt). */
const fuseDevice = (10 << 8) | 229

/** Whether a path is a /dev/fuse. Looks at no file of a mount's own, which may not answer. */
const isFuseDevice = (path: string): Effect.Effect<boolean> => {
  if (path === "/dev/fuse") return Effect.succeed(true)
  if (findMount(path) !== undefined) return Effect.succeed(false)
  return Effect.promise(() =>
    stat(path).then(
      (found) => found.isCharacterDevice() && found.rdev === fuseDevice,
      () => false
    )
  )
}

/** A device is what a mount is served through. */
const noPlace = (mountpoint: string): Effect.Effect<never, TransportError> => {
  const message = `${mountpoint} is not a place to mount on; a device that is mounted already is served by fromFd and a Session over it`
  return Effect.fail(errnoError("mount", -EINVAL, message))
}

const flagOptions = (options: MountDeviceOptions): ReadonlyArray<string> => [
  ...(options.allowOther === true ? ["allow_other"] : []),
  ...(options.defaultPermissions === true ? ["default_permissions"] : []),
  ...(options.maxRead === undefined || options.maxRead === 0 ? [] : [`max_read=${options.maxRead}`]),
  ...(options.blksize === undefined ? [] : [`blksize=${options.blksize}`])
]

/** Commas in a label (MCS categories) would end it: the kernel takes it in quotes. */
const contextOptions = (contexts: SecurityContexts = {}): ReadonlyArray<string> =>
  Object.entries(contexts).map(([name, label]) => `${name}=${String(label).includes(",") ? `"${label}"` : label}`)

/** The type in the mount table. */
const filesystemType = ({ blkdev, subtype }: MountDeviceOptions): string => {
  const base = blkdev === true ? "fuseblk" : "fuse"
  return subtype === undefined ? base : `${base}.${subtype}`
}

const mountHint = (errno: number, mountpoint: string, options: MountDeviceOptions): string => {
  const source = options.fsname ?? "bickford"
  if (options.blkdev === true && (errno === ENOTBLK || errno === ENOENT))
    return `blkdev: ${source} is not a block device; name one with fsname`
  if (options.blkdev === true && errno === EBUSY) return `blkdev: ${source} is in use`
  if (options.securityContexts !== undefined && errno === EINVAL) {
    return `the kernel did not take ${contextOptions(options.securityContexts).join(", ")}: labels are for kernels with SELinux enabled`
  }
  if (errno === EPERM) return `mounting at ${mountpoint} needs CAP_SYS_ADMIN, which this process lacks`
  if (errno === ENOTCONN) return `mounting at ${mountpoint} failed: INIT was not agreed on`
  if (errno === ENODEV) return "the kernel has no FUSE: load its module (modprobe fuse)"
  return `mounting at ${mountpoint} failed`
}

const flagsOf = (options: MountDeviceOptions): number =>
  (options.suid === true ? 0 : MS_NOSUID) |
  (options.dev === true ? 0 : MS_NODEV) |
  (options.readOnly === true ? MS_RDONLY : 0) |
  (options.noexec === true ? MS_NOEXEC : 0) |
  (options.sync === true ? MS_SYNCHRONOUS : 0) |
  (options.dirsync === true ? MS_DIRSYNC : 0) |
  (options.nosymfollow === true ? MS_NOSYMFOLLOW : 0) |
  (options.noatime === true ? MS_NOATIME : 0) |
  (options.nodiratime === true ? MS_NODIRATIME : 0) |
  (options.strictatime === true ? MS_STRICTATIME : 0)

/** What goes into one mount of a device, however it is mounted. */
interface KernelMount {
  readonly source: string
  readonly target: string
  readonly type: string
  readonly flags: number
  /** `KEY` or `KEY=VALUE`, without the device's and the labels. */
  readonly options: ReadonlyArray<string>
  readonly contexts: SecurityContexts | undefined
}

const kernelMount = (mountpoint: string, mode: number, options: MountDeviceOptions): KernelMount => ({
  source: options.fsname ?? "bickford",
  target: mountpoint,
  type: filesystemType(options),
  flags: flagsOf(options),
  options: [
    `rootmode=${mode.toString(8)}`,
    `user_id=${process.geteuid?.()}`,
    `group_id=${process.getegid?.()}`,
    ...flagOptions(options)
  ],
  contexts: options.securityContexts
})

/** By fsopen(2): true, or what the kernel wrote to the log of the filesystem context. */
const mountWithContext = (
  handle: FuseHandle,
  { contexts, flags, options, source, target, type }: KernelMount
): Effect.Effect<true | string> => {
  const labels = Object.entries(contexts ?? {}).map(([name, label]) => `${name}=${label}`)
  return Effect.map(
    Effect.promise(() =>
      addon.mount_with_context(source, target, type, flags, [`fd=${fd(handle)}`, ...options, ...labels])
    ),
    (outcome) => (typeof outcome === "number" ? "" : outcome.error === 0 || outcome.log)
  )
}

/** By mount(2): 0, or a negative errno. */
const mountWithData = (
  handle: FuseHandle,
  { contexts, flags, options, source, target, type }: KernelMount
): Effect.Effect<number> =>
  Effect.promise(() =>
    addon.mount(source, target, type, flags, [`fd=${fd(handle)}`, ...options, ...contextOptions(contexts)].join(","))
  )

/**
 * Mounts by mount(2) with a synchronous INIT, which `serving` has answered; undefined, and nothing is done, where that cannot
 * be had. fsopen(2) would have INIT answered before it is known whether the mount can be attached.
 */
const mountWaiting = <E, R>(
  what: KernelMount,
  options: MountDeviceOptions,
  serving: Serving<E, R>
): Effect.Effect<FuseHandle | undefined, E | TransportError, R | Scope.Scope> =>
  Effect.gen(function* () {
    const handle = yield* open_dev_fuse
    if (addon.sync_init(handle) < 0) {
      yield* close(handle)
      return undefined
    }
    const { result, served } = yield* mountServed(handle, what.target, mountWithData(handle, what), serving)
    if (result === 0) return handle
    yield* close(handle)
    if (!served) return undefined
    return yield* Effect.fail(errnoError("mount", result, mountHint(-result, what.target, options)))
  })

/**
 * Mounts by fsopen(2), and where that fails for whatever reason (an old kernel, a seccomp filter, a source of more than
 * 255 bytes) by mount(2), whose errno is the one that is told. The first attempt may have used its device up.
 */
const mountDirectly = (
  what: KernelMount,
  options: MountDeviceOptions
): Effect.Effect<FuseHandle, TransportError, Scope.Scope> =>
  Effect.gen(function* () {
    const first = yield* open_dev_fuse
    const mounted = yield* mountWithContext(first, what)
    if (mounted === true) return first
    yield* close(first)
    const second = yield* open_dev_fuse
    const result = yield* mountWithData(second, what)
    if (result === 0) return second
    const why = mounted === "" ? "" : `: ${printable(mounted)}`
    return yield* Effect.fail(errnoError("mount", result, `${mountHint(-result, what.target, options)}${why}`))
  })

/** Commas separate options; libfuse's helper takes `\,` for one that does not. */
const escape = (value: string): string => value.replace(/[\\,]/g, "\\$&")

/** What the helper would leave out with no more than a line on stderr; undefined when it does all that is asked for. */
const notThroughHelper = (options: MountDeviceOptions): TransportError | undefined => {
  const refuse = (option: string, does: string) =>
    errnoError("mount", -EPERM, `${option}: only root's mounts can ${does}; leave the option out, or mount as root`)
  if (options.securityContexts !== undefined)
    return refuse(Object.keys(options.securityContexts).join(", "), "be labelled")
  if (isRoot()) return undefined
  if (options.suid === true) return refuse("suid", "honour set-user-ID bits")
  return options.dev === true ? refuse("dev", "have devices") : undefined
}

const mountThroughHelper = (
  mountpoint: string,
  options: MountDeviceOptions
): Effect.Effect<FuseHandle, TransportError, Scope.Scope> => {
  const refusal = notThroughHelper(options)
  if (refusal !== undefined) return Effect.fail(refusal)
  const given = [
    options.readOnly === true ? "ro" : "rw",
    options.suid === true ? "suid" : "nosuid",
    options.dev === true ? "dev" : "nodev",
    ...(options.noexec === true ? ["noexec"] : []),
    ...(options.sync === true ? ["sync"] : []),
    ...(options.dirsync === true ? ["dirsync"] : []),
    ...(options.nosymfollow === true ? ["nosymfollow"] : []),
    ...(options.noatime === true ? ["noatime"] : []),
    ...(options.nodiratime === true ? ["nodiratime"] : []),
    `fsname=${escape(options.fsname ?? "bickford")}`,
    ...(options.subtype === undefined ? [] : [`subtype=${escape(options.subtype)}`]),
    ...(options.blkdev === true ? ["blkdev"] : []),
    ...flagOptions(options)
  ]
  return fusermount3_mount(mountpoint, given.join(","), options.fusermount)
}

/** Takes away what was mounted here for nothing; that it is gone already is as good. */
const undo = (mountpoint: string, device: string, how?: FusermountOptions): Effect.Effect<void> =>
  Effect.ignore(
    unmountDevice({ mountpoint, device }, { lazy: true, ...(how === undefined ? {} : { fusermount: how }) })
  )

/**
 * Of a single reader, in KiB: enough for reader and server to work at once on two CPUs, and little enough to be
 * in the cache of one still, when they share it and the reader copies what was read.
 */
const readAhead = 384

/** The kernel reads 128 KiB ahead unless it is told otherwise here; INIT's answer can only lower it. */
const raiseReadAhead = (device: string): void => {
  try {
    writeFileSync(`/sys/class/bdi/${device}/read_ahead_kb`, String(readAhead))
  } catch {
    // Not root's sysfs, or none: reads are smaller.
  }
}

/** INIT's answer lowers what was set before, and is overruled by what is set after. */
const beforeInit = <E, R>(place: MountingDevice, serve: ServeMounting<E, R>): ReturnType<ServeMounting<E, R>> =>
  Effect.suspend(() => {
    raiseReadAhead(place.device)
    return serve(place)
  })

/**
 * Mounts a new connection. The kernel's INIT waits to be read from `handle`. When the scope closes a
 * mount that is still there is detached, then the handle closed. A dead mount that was left there is replaced; where
 * one is that lives, whoever's it is, this fails with EBUSY.
 *
 * With `serve` INIT is synchronous, where root mounts on Linux 6.18 (FUSE_DEV_IOC_SYNC_INIT): `serve` is called before
 * anything can be seen of the mount, and this succeeds when INIT has been answered. Elsewhere `serve` is not called.
 */
export const mountDevice = <E = never, R = never>(
  options: MountDeviceOptions,
  serve?: ServeMounting<E, R>
): Effect.Effect<MountedDevice, E | TransportError, R | Scope.Scope> =>
  Effect.gen(function* () {
    if (/^\/dev\/fd\/\d+$/.test(resolve(options.mountpoint))) return yield* noPlace(options.mountpoint)
    const mountpoint = yield* resolvePath(options.mountpoint)
    if (yield* isFuseDevice(mountpoint)) return yield* noPlace(options.mountpoint)
    const how = options.fusermount === undefined ? {} : { fusermount: options.fusermount }
    return yield* withClaim(
      mountpoint,
      Effect.gen(function* () {
        yield* clearMountpoint(mountpoint, ({ device }) =>
          unmountDevice({ mountpoint, device }, { lazy: true, ...how })
        )
        const mode = yield* rootmode(mountpoint)
        // Nothing may come between the mount and the promise to take it away again.
        return yield* Effect.uninterruptibleMask((restore) =>
          Effect.gen(function* () {
            const before = mountTable()
            const underneath = yield* openUnderneath(mountpoint)
            const what = kernelMount(mountpoint, mode, options)
            const isDirect = isRoot() && options.fusermount === undefined
            const waited =
              isDirect && serve !== undefined
                ? yield* mountWaiting(what, options, { restore, serve: (place) => beforeInit(place, serve) })
                : undefined
            const handle =
              waited ?? (yield* isDirect ? mountDirectly(what, options) : mountThroughHelper(mountpoint, options))
            const entry = findOwn(mountpoint, handle, before)
            if (entry === undefined) {
              return yield* Effect.fail(
                errnoError("mount", -EINVAL, `${mountpoint} was mounted, and unmounted again at once`)
              )
            }
            const below = findBelow(entry)
            if (below !== undefined) {
              yield* withdraw(mountpoint, entry.device, options.fusermount)
              return yield* Effect.fail(
                errnoError("mount", -EBUSY, `${mountpoint} is already a mountpoint: ${yield* describeMount(below)}`)
              )
            }
            yield* Effect.addFinalizer(() => undo(mountpoint, entry.device, options.fusermount))
            yield* coverPlace(mountpoint, underneath)
            yield* ownDevice(entry.device)
            if (isRoot() && waited === undefined) raiseReadAhead(entry.device)
            return { handle, mountpoint, device: entry.device, underneath }
          })
        )
      })
    )
  })

/** What to unmount. */
export interface UnmountTarget {
  readonly mountpoint: string
  /** When given, only this mount is unmounted: `MAJOR:MINOR`. Else any FUSE mount. */
  readonly device?: string
}

export interface UnmountOptions {
  /** Detach a mount that is in use; it ends when its last user does. */
  readonly lazy?: boolean
  readonly fusermount?: FusermountOptions
}

const whyNot = (
  mountpoint: string,
  entry: MountEntry | undefined,
  device: string | undefined
): TransportError | undefined => {
  if (entry === undefined) return errnoError("umount2", -EINVAL, `nothing is mounted at ${mountpoint}`)
  if (device !== undefined && entry.device !== device) {
    const covered = mountTable().some((other) => other.mountpoint === mountpoint && other.device === device)
    return covered
      ? errnoError("umount2", -EBUSY, `${mountpoint}: another mount (${entry.type}) lies on top of this one`)
      : errnoError(
          "umount2",
          -EINVAL,
          `${mountpoint}: the mount is gone, and what is there now (${entry.type}) is another one`
        )
  }
  if (!isFuse(entry))
    return errnoError("umount2", -EINVAL, `${mountpoint}: what is mounted there (${entry.type}) is not FUSE`)
  return undefined
}

/**
 * Unmounts; a mount that is in use gives EBUSY (through the helper `fusermount_failed`, with that errno)
 * unless `lazy`. Never a mount that is not the one meant.
 */
export const unmountDevice = (
  target: UnmountTarget,
  options: UnmountOptions = {}
): Effect.Effect<void, TransportError> =>
  Effect.gen(function* () {
    const mountpoint = yield* resolvePath(target.mountpoint)
    const refusal = whyNot(mountpoint, findMount(mountpoint), target.device)
    if (refusal !== undefined) return yield* Effect.fail(refusal)
    const lazy = options.lazy === true
    if (!isRoot() || options.fusermount !== undefined)
      return yield* fusermount3_unmount(mountpoint, lazy, options.fusermount)
    const result = yield* Effect.promise(() => addon.unmount(mountpoint, UMOUNT_NOFOLLOW | (lazy ? MNT_DETACH : 0)))
    if (result < 0) {
      const hint = errnoTag(-result) === "EBUSY" ? `${mountpoint} is in use` : `unmounting ${mountpoint} failed`
      return yield* Effect.fail(errnoError("umount2", result, hint))
    }
  })

/**
 * Detaches a mount, and holds up this thread until that is done: its connection is to be aborted before, so that nothing
 * waits for this thread. Undefined when it is gone, also when it was already.
 */
export const detachDeviceNow = ({ device, mountpoint }: Required<UnmountTarget>): TransportError | undefined => {
  const entry = findMount(mountpoint)
  if (!mountTable().some((other) => other.device === device && other.mountpoint === mountpoint)) return undefined
  const refusal = whyNot(mountpoint, entry, device)
  if (refusal !== undefined) return refusal
  if (!isRoot()) return fusermountDetachNow(mountpoint)
  const result = addon.unmount_now(mountpoint, UMOUNT_NOFOLLOW | MNT_DETACH)
  return result < 0 ? errnoError("umount2", result, `unmounting ${mountpoint} failed`) : undefined
}
