/**
 * The keeper: holds every mount's device, and has a worker process serve each. It runs no filesystem's
 * code, so that it has nothing to fail of.
 */
import * as Clock from "effect/Clock"
import * as Effect from "effect/Effect"
import type * as Scope from "effect/Scope"
import * as Semaphore from "effect/Semaphore"
import { closeSync } from "node:fs"
import { availableParallelism } from "node:os"
import { join } from "node:path"
import { isDeepStrictEqual } from "node:util"
import { type CommandError, commandError } from "../CommandError.ts"
import type { DaemonConfig, MountConfig } from "../config/DaemonConfig.ts"
import type { StatusReport } from "../control/StatusReport.ts"
import type { MountNumbers } from "../metrics/numbers.ts"
import { nearest } from "@bickford/protocol"
import { abandonConnection, type Connection, openConnection, takeBack, whyLost } from "./Connection.ts"
import { keepMount, type KeptMount } from "./KeptMount.ts"
import type { Trial } from "../worker/messages.ts"
import { clearLeftovers } from "./leftovers.ts"
import { rehearse } from "./rehearsal.ts"
import { heldDevices, serviceManager, type ServiceManager } from "./serviceManager.ts"
import { fits, selectedBy } from "./servedSource.ts"
import { identityOf, type MountRecord, readState, writeState } from "./stateFile.ts"
import type { KeeperServices } from "./workerLife.ts"
import { startWorker } from "./workerProcess.ts"

/** What a change of configuration did, by name. */
export interface Reloaded {
  readonly started: ReadonlyArray<string>
  readonly stopped: ReadonlyArray<string>
  readonly unchanged: ReadonlyArray<string>
}

export interface Keeper {
  readonly manager: ServiceManager
  readonly report: () => StatusReport
  /** What each mount has counted, by its name. */
  readonly counts: () => ReadonlyMap<string, MountNumbers>
  readonly mounts: () => ReadonlyArray<KeptMount>
  /** Writes the state file, which may have been removed. */
  readonly saveState: () => void
  /** Fails with the near miss. */
  readonly mount: (name: string) => Effect.Effect<KeptMount, CommandError>
  /**
   * Starts, replaces and unmounts what the new configuration changes; what it leaves stays as it is. Fails, and changes
   * nothing, when a mount that is to be replaced could not be served as it is configured now.
   */
  readonly apply: (config: DaemonConfig) => Effect.Effect<Reloaded, CommandError>
}

const recordOf = (mount: KeptMount): ReadonlyArray<MountRecord> => {
  const connection = mount.connection()
  if (connection === undefined) return []
  const { name, pid } = mount.status()
  const worker = pid === undefined ? undefined : identityOf(pid)
  const { device, id, mountedAt, negotiated, served } = connection
  const selected = selectedBy(mount.config)
  return [
    {
      name,
      source: mount.config.source,
      ...(selected === "" ? {} : { selected }),
      configured: mount.config.mountpoint,
      mountpoint: device.mountpoint,
      device: device.device,
      id,
      mountedAt,
      served,
      ...(negotiated === undefined ? {} : { negotiated }),
      ...(worker === undefined ? {} : { worker })
    }
  ]
}

/** A store that is served stays locked until its worker has ended: only its code can be tried before. */
const trialFor = (kept: KeptMount, next: MountConfig): Trial =>
  kept.connection()?.served === "durable" && kept.config.source === next.source ? "load" : "open"

/**
 * What an earlier keeper left: takes back the connections that the service manager held and a worker can
 * go on with, by name, and clears everything else of it away.
 */
const takeOver = Effect.fnUntraced(function* (config: DaemonConfig, environment: NodeJS.ProcessEnv) {
  const held = heldDevices(environment)
  const left = readState(config.runtimeDirectory)
  const taken = new Map<string, Connection>()
  for (const mount of config.mounts) {
    const record = left?.mounts.find(({ name }) => name === mount.name)
    const descriptor = held.get(mount.name)?.at(-1)
    if (record === undefined || descriptor === undefined || !fits(mount, record)) continue
    const connection = yield* takeBack(record, descriptor)
    if (connection === undefined) continue
    if (whyLost(connection) === undefined) taken.set(mount.name, connection)
    else yield* abandonConnection(connection)
  }
  // No worker shall inherit them.
  for (const descriptor of Array.from(held.values()).flat()) closeSync(descriptor)
  if (left !== undefined) yield* clearLeftovers(left, new Set(taken.keys()))
  return taken
})

/** Writes the state file, of what is kept at the time. */
const stateWriter = Effect.fnUntraced(function* (runtimeDirectory: string, mounts: ReadonlyMap<string, KeptMount>) {
  const run = Effect.runForkWith(yield* Effect.context<never>())
  const self = identityOf(process.pid) ?? { pid: process.pid, began: "" }
  let writing: NodeJS.Immediate | undefined
  const now = (): void => {
    clearImmediate(writing)
    writing = undefined
    try {
      writeState(runtimeDirectory, { keeper: self, mounts: Array.from(mounts.values()).flatMap(recordOf) })
    } catch (error) {
      // A full disk is no reason to lose the mounts; what is lost is what the next keeper would have known.
      run(Effect.logWarning(`the state of the mounts could not be written to ${runtimeDirectory}: ${String(error)}`))
    }
  }
  /** Once for all that changes in this turn: many mounts do at the start. */
  const soon = (): void => {
    writing ??= setImmediate(now)
  }
  return { now, soon }
})

/** Returns the mount of a name, or fails with the near miss. */
const named = (mounts: ReadonlyMap<string, KeptMount>, name: string): Effect.Effect<KeptMount, CommandError> => {
  const found = mounts.get(name)
  if (found !== undefined) return Effect.succeed(found)
  const near = nearest(name, Array.from(mounts.keys()))
  return Effect.fail(commandError(`no mount is called ${name}${near === undefined ? "" : `; did you mean ${near}?`}`))
}

/** Keeps the mounts of `config`. Closing the scope unmounts them all, while they are still served. */
export const makeKeeper: (
  config: DaemonConfig,
  version: string,
  environment: NodeJS.ProcessEnv,
  slowCall?: KeeperServices["slowCall"]
) => Effect.Effect<Keeper, CommandError, Scope.Scope> = Effect.fnUntraced(function* (
  config,
  version,
  environment,
  slowCall = () => {}
) {
  const startedAt = yield* Clock.currentTimeMillis
  const { runtimeDirectory } = config
  const mounts = new Map<string, KeptMount>()
  const oneAtATime = (yield* Semaphore.make(1)).withPermits(1)
  const loading = yield* Semaphore.make(availableParallelism() * 2)

  const manager = yield* serviceManager(environment)
  const taken = yield* takeOver(config, environment)

  const state = yield* stateWriter(runtimeDirectory, mounts)
  const services: KeeperServices = {
    compiled: join(runtimeDirectory, "compiled"),
    loading,
    manager,
    slowCall,
    startWorker,
    openConnection,
    abandonConnection,
    changed: state.soon
  }

  const start = (mount: MountConfig, adopted?: Connection) =>
    Effect.map(keepMount(mount, services, adopted), (kept) => {
      mounts.set(mount.name, kept)
    })
  const stop = (kept: KeptMount) =>
    Effect.andThen(
      kept.stop,
      Effect.sync(() => mounts.delete(kept.config.name))
    )
  const stopAll = (which: ReadonlyArray<KeptMount>) =>
    Effect.forEach(which, stop, { concurrency: "unbounded", discard: true })

  yield* Effect.addFinalizer(() =>
    // One mount may lie in another: the last go first.
    Effect.andThen(
      Effect.forEach(Array.from(mounts.values()).toReversed(), stop, { concurrency: 16, discard: true }),
      Effect.sync(state.now)
    )
  )
  state.now()
  yield* Effect.forEach(config.mounts, (mount) => start(mount, taken.get(mount.name)), { discard: true })

  const keeper: Keeper = {
    manager,
    report: () => {
      const { heapUsed, rss } = process.memoryUsage()
      return {
        version,
        pid: process.pid,
        startedAt,
        rss,
        heapUsed,
        mounts: Array.from(mounts.values(), (mount) => mount.status())
      }
    },
    counts: () => new Map(Array.from(mounts, ([name, mount]) => [name, mount.counted()])),
    mounts: () => Array.from(mounts.values()),
    saveState: state.now,
    mount: (name) => named(mounts, name),
    apply: (next) =>
      Effect.gen(function* () {
        const wanted = new Map(next.mounts.map((mount) => [mount.name, mount]))
        const changed = Array.from(mounts.values()).filter(
          (kept) => !isDeepStrictEqual(wanted.get(kept.config.name), kept.config)
        )
        yield* Effect.forEach(
          changed,
          (kept) => {
            const replacement = wanted.get(kept.config.name)
            return replacement === undefined
              ? Effect.void
              : rehearse(replacement, services.compiled, trialFor(kept, replacement), kept.connection())
          },
          { concurrency: 4, discard: true }
        )
        yield* stopAll(changed)
        const added = next.mounts.filter(({ name }) => !mounts.has(name))
        const unchanged = Array.from(mounts.keys())
        yield* Effect.forEach(added, (mount) => start(mount), { discard: true })
        services.changed()
        return {
          started: added.map(({ name }) => name),
          stopped: changed.map(({ config: { name } }) => name),
          unchanged
        }
      }).pipe(oneAtATime)
  }
  return keeper
})
