/**
 * In and out of the file tree. Root mounts with mount(2), everyone else through fusermount3; both give
 * the same thing. Unmounting never touches a mount that is not the one meant.
 */
import { readdirSync, statSync, type Stats, writeFileSync } from "node:fs"
import { realpath, stat } from "node:fs/promises"
import * as Effect from "effect/Effect"
import type * as Scope from "effect/Scope"
import { systemError, transportError, type TransportError } from "./errors.ts"
import { fusermount3Mount, fusermount3Unmount } from "./fusermount.ts"
import { openDevFuse } from "./handle.ts"
import { mountAt } from "./mountinfo.ts"
import { type FuseHandle, native } from "./native.ts"

export interface MountDeviceOptions {
  readonly mountpoint: string
  readonly fsname: string
  readonly subtype: string
  readonly allowOther: boolean
  readonly defaultPermissions: boolean
  readonly readOnly: boolean
  readonly maxRead?: number
}

export interface MountedDevice {
  readonly handle: FuseHandle
  /** Absolute, symlinks resolved. */
  readonly mountpoint: string
  /** `MAJOR:MINOR` in /proc/self/mountinfo; the minor is the connection's number in fusectl. */
  readonly device: string
}

// include/uapi/linux/mount.h
const MS_RDONLY = 1
const MS_NOSUID = 2
const MS_NODEV = 4
const MNT_FORCE = 1
const MNT_DETACH = 2

const isRoot = (): boolean => process.getuid?.() === 0

const codeOf = (cause: unknown): string => cause instanceof Error && "code" in cause && typeof cause.code === "string" ? cause.code : "EIO"

const checkMountpoint = (mountpoint: string): Effect.Effect<{ readonly path: string; readonly stats: Stats }, TransportError> =>
  Effect.tryPromise({
    try: async () => {
      const path = await realpath(mountpoint)
      return { path, stats: await stat(path) }
    },
    catch: (cause) => {
      const code = codeOf(cause)
      if (code === "ENOTCONN") {
        return transportError("stale_mountpoint", "stat", `${mountpoint}: a dead mount is left there (its server is gone); detach it with: umount -l ${mountpoint}`, 107)
      }
      const why = code === "ENOENT" ? "it does not exist; create it first (mkdir)" : code
      return { _tag: code, message: `the mountpoint ${mountpoint} cannot be used: ${why}`, syscall: "stat", errno: cause instanceof Error && "errno" in cause ? Math.abs(Number(cause.errno)) : 5 }
    }
  })

const escape = (value: string): string => value.replace(/[\\,]/g, (character) => `\\${character}`)

const mountDirectly = Effect.fnUntraced(function*(options: MountDeviceOptions, path: string, stats: Stats) {
  const handle = yield* openDevFuse
  const data = [
    `fd=${native.fd(handle)}`,
    `rootmode=${(stats.mode & 0o170000).toString(8)}`,
    `user_id=${process.getuid?.() ?? 0}`,
    `group_id=${process.getgid?.() ?? 0}`,
    ...(options.allowOther ? ["allow_other"] : []),
    ...(options.defaultPermissions ? ["default_permissions"] : []),
    ...(options.maxRead === undefined ? [] : [`max_read=${options.maxRead}`])
  ].join(",")
  const flags = MS_NOSUID | MS_NODEV | (options.readOnly ? MS_RDONLY : 0)
  const mounted = yield* Effect.promise(() => native.mount(options.fsname, path, `fuse.${options.subtype}`, flags, data))
  if (mounted < 0) return yield* Effect.fail(systemError("mount", mounted, path))
  return handle
})

const mountThroughHelper = (options: MountDeviceOptions, path: string): Effect.Effect<FuseHandle, TransportError, Scope.Scope> =>
  Effect.acquireRelease(
    fusermount3Mount(
      path,
      [
        `fsname=${escape(options.fsname)}`,
        `subtype=${escape(options.subtype)}`,
        "nosuid",
        "nodev",
        ...(options.allowOther ? ["allow_other"] : []),
        ...(options.defaultPermissions ? ["default_permissions"] : []),
        ...(options.readOnly ? ["ro"] : []),
        ...(options.maxRead === undefined ? [] : [`max_read=${options.maxRead}`])
      ].join(",")
    ),
    (handle) => Effect.sync(() => native.close(handle))
  )

/** Mounts; the handle is closed with the scope, which does not unmount. */
export const mountDevice = Effect.fnUntraced(function*(options: MountDeviceOptions) {
  const { path, stats } = yield* checkMountpoint(options.mountpoint)
  const handle = isRoot() ? yield* mountDirectly(options, path, stats) : yield* mountThroughHelper(options, path)
  const mounted: MountedDevice = { handle, mountpoint: path, device: mountAt(path)?.device ?? "" }
  return mounted
})

const notOurs = (device: MountedDevice): Effect.Effect<boolean> => Effect.sync(() => mountAt(device.mountpoint)?.device !== device.device)

/** Detaches or unmounts whatever is at a path. */
export const unmountPath = (mountpoint: string, options: { readonly lazy: boolean }): Effect.Effect<void, TransportError> =>
  isRoot()
    ? Effect.flatMap(Effect.promise(() => native.unmount(mountpoint, options.lazy ? MNT_DETACH : 0)), (status) =>
      status < 0 ? Effect.fail(systemError("umount2", status, mountpoint)) : Effect.void)
    : fusermount3Unmount(mountpoint, options.lazy)

/** Unmounts this mount; does nothing when it is gone, or another mount lies over it. */
export const unmountDevice = (device: MountedDevice, options: { readonly lazy: boolean }): Effect.Effect<void, TransportError> =>
  Effect.flatMap(notOurs(device), (gone) => gone ? Effect.void : unmountPath(device.mountpoint, options))

const controlFolder = "/sys/fs/fuse/connections"

/**
 * Aborts the connection: every call in flight and every later one fails. By fusectl, which root mounts
 * when it is not; else by closing the handle, which does the same.
 */
export const abortConnection = (device: MountedDevice): Effect.Effect<void, TransportError> =>
  Effect.gen(function*() {
    const file = `${controlFolder}/${device.device.split(":")[1] ?? ""}/abort`
    if (isRoot() && readdirSync(controlFolder).length === 0) {
      yield* Effect.promise(() => native.mount("fusectl", controlFolder, "fusectl", 0, ""))
    }
    yield* Effect.sync(() => {
      try {
        statSync(file)
        writeFileSync(file, "1")
      } catch {
        native.close(device.handle)
      }
    })
  })

/** umount2's MNT_FORCE: aborts and unmounts. */
export const forceUnmount = (mountpoint: string): Effect.Effect<void, TransportError> =>
  Effect.flatMap(Effect.promise(() => native.unmount(mountpoint, MNT_FORCE)), (status) =>
    status < 0 ? Effect.fail(systemError("umount2", status, mountpoint)) : Effect.void)
