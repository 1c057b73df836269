/**
 * The service manager that started this process, systemd or one that speaks as it does: told how the
 * daemon is (sd_notify(3)), and holding its devices while it is away (FDSTORE=1, sd_listen_fds(3)).
 */
import { type FuseHandle, sdNotify } from "@bickford/transport"
import * as Effect from "effect/Effect"
import * as Schedule from "effect/Schedule"
import type * as Scope from "effect/Scope"

export interface ServiceManager {
  /** Lines of sd_notify, as `READY=1`. */
  readonly notify: (state: string) => Effect.Effect<void>
  /** Has it hold a mount's device, also when this process is gone. */
  readonly store: (name: string, handle: FuseHandle) => Effect.Effect<void>
  /** It need not hold that device any more. */
  readonly forget: (name: string) => Effect.Effect<void>
}

const none: ServiceManager = { notify: () => Effect.void, store: () => Effect.void, forget: () => Effect.void }

// Of FDNAME, colons and control characters are not allowed.
const storedName = (name: string): string => encodeURIComponent(name)

/** Half of what the manager waits for a sign of life, as sd_watchdog_enabled(3) advises. */
const watchdogInterval = ({ WATCHDOG_PID, WATCHDOG_USEC }: NodeJS.ProcessEnv): number | undefined => {
  const microseconds = Number(WATCHDOG_USEC ?? 0)
  const forThis = WATCHDOG_PID === undefined || Number(WATCHDOG_PID) === process.pid
  return forThis && microseconds > 0 ? microseconds / 2000 : undefined
}

/** The manager that `environment` tells of, given its signs of life while the scope lasts; or one that does nothing. */
export const serviceManager = (environment: NodeJS.ProcessEnv): Effect.Effect<ServiceManager, never, Scope.Scope> =>
  Effect.gen(function* () {
    const { NOTIFY_SOCKET: socket } = environment
    if (socket === undefined || socket === "") return none
    const send = (state: string, handle?: FuseHandle): Effect.Effect<void> =>
      Effect.catch(sdNotify(socket, state, handle), ({ message }) => Effect.logWarning(message))
    const interval = watchdogInterval(environment)
    if (interval !== undefined) yield* Effect.forkScoped(Effect.repeat(send("WATCHDOG=1"), Schedule.spaced(interval)))
    return {
      notify: (state) => send(state),
      store: (name, handle) => send(`FDSTORE=1\nFDNAME=${storedName(name)}`, handle),
      forget: (name) => send(`FDSTOREREMOVE=1\nFDNAME=${storedName(name)}`)
    }
  })

/** The first descriptor that a manager hands over. */
const firstDescriptor = 3

const decoded = (name: string): string => {
  try {
    return decodeURIComponent(name)
  } catch {
    return name
  }
}

/** The descriptors that the manager held, and hands over, by the names of their mounts. Of several the last counts. */
export const heldDevices = (environment: NodeJS.ProcessEnv): ReadonlyMap<string, ReadonlyArray<number>> => {
  const { LISTEN_FDNAMES, LISTEN_FDS, LISTEN_PID } = environment
  const held = new Map<string, Array<number>>()
  if (Number(LISTEN_PID) !== process.pid) return held
  const names = (LISTEN_FDNAMES ?? "").split(":")
  for (let n = 0; n < Number(LISTEN_FDS ?? 0); n++) {
    const name = decoded(names[n] ?? "")
    held.set(name, [...(held.get(name) ?? []), firstDescriptor + n])
  }
  return held
}
