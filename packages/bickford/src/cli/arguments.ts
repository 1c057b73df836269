/** Arguments and flags that several commands take, and how a command reaches its code. */
import { defaultRuntimeDirectory } from "@bickford/daemon"
import * as Argument from "effect/cli/Argument"
import * as Flag from "effect/cli/Flag"
import * as Effect from "effect/Effect"

/** Loads what only some commands need: the daemon stays small. */
export const load = <Module>(module: () => Promise<Module>): Effect.Effect<Module> => Effect.promise(module)

export const mountpoint = Argument.String("MOUNTPOINT").pipe(
  Argument.withDescription("An existing directory (or file)")
)

export const mountName = Argument.String("NAME").pipe(Argument.withDescription("A mount of the daemon"))

export const runtimeDirectory = Flag.Directory("runtime-directory").pipe(
  Flag.withDescription("The daemon's, where its control socket is (runtime_directory of its configuration)"),
  Flag.withDefault(defaultRuntimeDirectory())
)

/** Where the control socket has an action on a mount. */
export const mountPath = (name: string, action: string): string => `/mounts/${encodeURIComponent(name)}/${action}`
