/** `new Fuse(mnt, ops, opts)`, as fuse-native has it. */
import { onlyFor, PathFilesystem } from "@bickford/backends"
import { errnoNumbers } from "@bickford/protocol"
import { type Mount, mount, wireLog } from "@bickford/session"
import * as Effect from "effect/Effect"
import * as Exit from "effect/Exit"
import * as Scope from "effect/Scope"
import { execFile } from "node:child_process"
import { mkdir, stat } from "node:fs/promises"
import { join, resolve } from "node:path"
import { promisify } from "node:util"
import { callbacksOf, callersOf } from "./callbacks.ts"
import { withDirectories } from "./directories.ts"
import type { Operations } from "./Operations.ts"
import { type FuseOptions, mountOptionsOf, pathOptionsOf, timeoutsOf } from "./options.ts"

/** Called with an error, or null. */
export type Callback = (error: Error | null) => void

const run = promisify(execFile)

/** Detaches what is mounted at a directory. */
const detach = async (mountpoint: string): Promise<void> => {
  const root = process.geteuid?.() === 0
  await run(root ? "umount" : "fusermount3", root ? ["-l", mountpoint] : ["-uz", mountpoint])
}

/** Whether something is mounted at a directory; a dead mountpoint counts. */
const isInUse = async (mountpoint: string): Promise<boolean> => {
  const parent = await stat(join(mountpoint, ".."))
  return stat(mountpoint).then(
    ({ dev }) => dev !== parent.dev,
    (error: NodeJS.ErrnoException) => error.code === "ENOTCONN"
  )
}

const prepare = async (mountpoint: string, { force, mkdir: make }: FuseOptions): Promise<void> => {
  if (make === true) await mkdir(mountpoint, { recursive: true }).catch(() => undefined)
  if (force === true && (await isInUse(mountpoint).catch(() => false))) await detach(mountpoint)
  const found = await stat(mountpoint).catch((error: NodeJS.ErrnoException) => {
    if (error.code === "ENOTCONN") throw new Error("Mountpoint in use")
    throw new Error("Mountpoint does not exist")
  })
  if (!found.isDirectory()) throw new Error("Mountpoint is not a directory")
  if (await isInUse(mountpoint)) throw new Error("Mountpoint in use")
}

const calling = (work: Promise<unknown>, cb: Callback | undefined): void => {
  work.then(
    () => cb?.(null),
    (error: unknown) => cb?.(error instanceof Error ? error : new Error(String(error)))
  )
}

const writeLine = (line: string): void => {
  process.stderr.write(`${line}\n`)
}

const messageOf = (error: unknown): string =>
  typeof error === "object" && error !== null && "message" in error ? String(error.message) : String(error)

/** A filesystem of operations with callbacks, and its mount. */
class FuseMount {
  readonly mnt: string
  readonly ops: Operations
  readonly opts: FuseOptions
  #opening: Promise<{ readonly mounted: Mount; readonly scope: Scope.Closeable }> | undefined

  constructor(mnt: string, ops: Operations = {}, opts: FuseOptions = {}) {
    this.mnt = resolve(mnt)
    this.ops = ops
    this.opts = opts
  }

  /** Mounts; calls back when the filesystem can be used. */
  mount(cb?: Callback): void {
    this.#opening ??= this.#open()
    this.#opening.catch(() => {
      this.#opening = undefined
    })
    calling(this.#opening, cb)
  }

  /** Unmounts; calls back when the mount is gone. */
  unmount(cb?: Callback): void {
    const opening = this.#opening
    this.#opening = undefined
    const close = async (): Promise<void> => {
      if (opening === undefined) return
      const { mounted, scope } = await opening
      await Effect.runPromise(Effect.ignore(mounted.unmount({ lazy: true })))
      await Effect.runPromise(Scope.close(scope, Exit.void))
    }
    calling(close(), cb)
  }

  /** The number of an error by its name, negative; -1 for a name that is none. */
  errno(code?: string): number {
    const name = code?.toUpperCase() ?? ""
    return Object.hasOwn(constants, name) ? (constants[name] ?? -1) : -1
  }

  async #open(): Promise<{ readonly mounted: Mount; readonly scope: Scope.Closeable }> {
    await prepare(this.mnt, this.opts)
    const timeouts = timeoutsOf(this.opts)
    const byPath = PathFilesystem.make(callbacksOf(this.ops, timeouts), pathOptionsOf(this.opts))
    const backend = withDirectories(byPath, this.ops, callersOf(timeouts), (nodeid) => {
      const path = byPath.pathOf?.(nodeid)
      return path === undefined ? undefined : Buffer.from(path).toString()
    })
    const scope = await Effect.runPromise(Scope.make())
    const served = this.opts.allowRoot === true ? onlyFor(backend, [0, process.geteuid?.() ?? 0]) : backend
    const mounting = Effect.tap(
      mount({ mountpoint: this.mnt, backend: served, ...mountOptionsOf(this.opts) }),
      ({ session }) =>
        this.opts.debug === true ? wireLog(session.connection, writeLine, { format: "pretty" }) : Effect.void
    )
    try {
      return { mounted: await Effect.runPromise(Scope.provide(mounting, scope)), scope }
    } catch (error) {
      await Effect.runPromise(Scope.close(scope, Exit.void))
      throw new Error(messageOf(error), { cause: error })
    }
  }
}

/** Error numbers as fuse-native has them: negative. */
const constants: { readonly [name: string]: number } = Object.fromEntries([
  ...Object.entries(errnoNumbers).map(([name, number]) => [name, -number]),
  ["EWOULDBLOCK", -errnoNumbers.EAGAIN],
  ["EDEADLOCK", -errnoNumbers.EDEADLK],
  ["EOPNOTSUPP", -95],
  ["ENOTSUP", -95]
])

/** The constructor, with what fuse-native hangs on it. */
export type FuseConstructor = typeof FuseMount & { readonly [errno: string]: number } & {
  /** Detaches what is mounted at `mnt`, whoever serves it. */
  readonly unmount: (mnt: string, cb: Callback) => void
  /** There is nothing to configure. */
  readonly isConfigured: (cb: (error: Error | null, configured: boolean) => void) => void
  /** Calls back; there is nothing to do. */
  readonly configure: (cb: Callback) => void
  /** Calls back; there is nothing to do. */
  readonly unconfigure: (cb: Callback) => void
  /** Calls back; there is nothing to do. */
  readonly beforeMount: (cb: Callback) => void
  /** Calls back; there is nothing to do. */
  readonly beforeUnmount: (cb: Callback) => void
}

const nothing = (cb: Callback): void => process.nextTick(cb, null)

/** As fuse-native's `Fuse`. */
export const Fuse = Object.assign(FuseMount, constants, {
  unmount: (mnt: string, cb: Callback): void => calling(detach(resolve(mnt)), cb),
  isConfigured: (cb: (error: Error | null, configured: boolean) => void): void => process.nextTick(cb, null, true),
  configure: nothing,
  unconfigure: nothing,
  beforeMount: nothing,
  beforeUnmount: nothing
}) as FuseConstructor
