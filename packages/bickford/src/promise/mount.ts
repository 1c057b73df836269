/**
 * Mounting for programs that do not use Effect.
 *
 * ```ts
 * const mounted = await mount("/mnt/point", memory())
 * await mounted.ended
 * ```
 */
import {
  type BackendSource,
  logToStderr,
  type Mount,
  mount as mountEffect,
  type MountEnd,
  type MountError,
  type MountOptions as EffectMountOptions
} from "@bickford/session"
import * as Cause from "effect/Cause"
import * as Effect from "effect/Effect"
import * as Exit from "effect/Exit"
import * as PubSub from "effect/PubSub"
import * as Scope from "effect/Scope"
import { EventEmitter } from "node:events"
import { causeOf, failureOf } from "./MountFailure.ts"

/** How to mount, for programs that use promises. */
export interface MountOptions extends Omit<EffectMountOptions, "mountpoint" | "backend"> {
  /** Gives up mounting; unmounts what is mounted. */
  readonly signal?: AbortSignal
}

/** How a mount ended. */
export interface Ended {
  readonly reason: MountEnd["reason"]
  /** With reason `failed`: what it failed with. */
  readonly error: unknown
}

/** A part of the mount's supervision tree failed and is started again. */
export interface Restart {
  /** `backend`, `transport`, `session` or `dispatcher`. */
  readonly part: string
  /** What it failed with; undefined when it had simply ended. */
  readonly error: unknown
}

interface Events {
  readonly restart: [Restart]
  readonly end: [Ended]
}

/** A mounted filesystem. Emits `restart` and, last, `end`. */
export interface Mounted extends EventEmitter<Events>, AsyncDisposable {
  /** The absolute path. */
  readonly mountpoint: string
  /** Notifications, the supervision tree, and what else the session has. */
  readonly session: Mount["session"]
  /** Resolves when the mount is gone and the backend's `destroy` has run. Never rejects. */
  readonly ended: Promise<Ended>
  /** Unmounts while still serving, and resolves when the mount has ended. A busy one is EBUSY, unless `lazy` detaches it. */
  readonly unmount: (options?: { readonly lazy?: boolean }) => Promise<void>
}

const run = <A, E>(
  effect: Effect.Effect<A, E>,
  options?: { readonly signal?: AbortSignal }
): Promise<Exit.Exit<A, E>> => Effect.runPromiseExit(Effect.provide(effect, logToStderr), options)

/** Tells `emitter` of restarts, for the life of the scope. */
const forwardRestarts = (mounted: Mount, emitter: EventEmitter<Events>) =>
  Effect.gen(function* () {
    const events = yield* mounted.session.supervisor.events
    const failures = new Map<string, unknown>()
    yield* Effect.forkScoped(
      Effect.forever(
        Effect.map(PubSub.take(events), (event) => {
          const part = event.path.join("/")
          if (event._tag === "Exited")
            failures.set(part, event.cause === undefined ? undefined : Cause.squash(event.cause))
          if (event._tag === "Restarting") emitter.emit("restart", { part, error: failures.get(part) })
        })
      )
    )
  })

/** What a promise is rejected with. */
const thrown = (cause: Cause.Cause<MountError>): unknown => {
  const error = Cause.findErrorOption(cause)
  return error._tag === "Some" ? failureOf(error.value) : Cause.squash(cause)
}

class MountedFilesystem extends EventEmitter<Events> implements Mounted {
  readonly mountpoint: string
  readonly ended: Promise<Ended>
  readonly #mount: Mount
  readonly #close: () => Promise<unknown>

  constructor(mount: Mount, events: EventEmitter<Events>, close: () => Promise<unknown>) {
    super()
    this.mountpoint = mount.mountpoint
    this.#mount = mount
    this.#close = close
    events.on("restart", (restart) => this.emit("restart", restart))
    this.ended = Effect.runPromise(mount.awaitEnd).then(async (end) => {
      await close()
      const result: Ended = { reason: end.reason, error: causeOf(end.session) }
      this.emit("end", result)
      return result
    })
  }

  get session(): Mount["session"] {
    return this.#mount.session
  }

  async unmount(options?: { readonly lazy?: boolean }): Promise<void> {
    const exit = await run(this.#mount.unmount(options))
    if (Exit.isFailure(exit)) throw thrown(exit.cause)
    await this.ended
  }

  /** As the end of an Effect's scope: unmounted, or detached if it is busy, and in the end aborted. */
  async [Symbol.asyncDispose](): Promise<void> {
    await this.#close()
    await this.ended
  }
}

/**
 * Mounts `backend` at an existing directory and serves it; resolves when it can be used. Rejects with a
 * `MountFailure`, which has Node's `code`, `errno` and `syscall`, or with the signal's reason.
 */
export const mount = async (
  mountpoint: string,
  backend: BackendSource,
  options: MountOptions = {}
): Promise<Mounted> => {
  const { signal, ...mountOptions } = options
  signal?.throwIfAborted()
  const scope = await Effect.runPromise(Scope.make())
  const close = () => run(Scope.close(scope, Exit.void))
  const events = new EventEmitter<Events>()
  const built = mountEffect({ ...mountOptions, mountpoint, backend }).pipe(
    Effect.tap((mounted) => forwardRestarts(mounted, events))
  )
  const exit = await run(Scope.provide(built, scope), signal === undefined ? {} : { signal })
  if (Exit.isFailure(exit)) {
    await close()
    signal?.throwIfAborted()
    throw thrown(exit.cause)
  }
  const mounted = new MountedFilesystem(exit.value, events, close)
  const onAbort = () => void mounted[Symbol.asyncDispose]()
  signal?.addEventListener("abort", onAbort, { once: true })
  void mounted.ended.then(() => signal?.removeEventListener("abort", onAbort))
  return mounted
}
