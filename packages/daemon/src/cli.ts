/** The commands, as typed. */
import * as Argument from "effect/cli/Argument"
import * as Command from "effect/cli/Command"
import * as Flag from "effect/cli/Flag"
import * as Effect from "effect/Effect"
import * as Option from "effect/Option"
import { isKept, log, restart, status, unmountKept } from "./control/commands.ts"
import { defaultRuntimeDirectory } from "./control/runtimeDirectory.ts"
import { optionsHelp } from "./options/mountOptions.ts"
import { sourcesHelp } from "./sources/index.ts"
import { unmount } from "./unmount.ts"

// What only some commands need is loaded by them: the daemon stays small.
const load = <Module>(module: () => Promise<Module>): Effect.Effect<Module> => Effect.promise(module)

const mountpoint = Argument.String("MOUNTPOINT").pipe(Argument.withDescription("An existing folder (or file)"))

const mountCommand = Command.make(
  "mount",
  {
    source: Argument.String("SOURCE").pipe(Argument.withDescription(`What to serve: ${sourcesHelp}`)),
    mountpoint,
    options: Flag.String("options").pipe(
      Flag.withAlias("o"),
      Flag.withMetavar("OPTIONS"),
      Flag.withDescription("Mount options, separated by commas"),
      Flag.atLeast(0)
    ),
    background: Flag.Boolean("background").pipe(
      Flag.withDescription(
        "Return once it is mounted; it is served by a process of its own, whose log is the system's"
      ),
      Flag.withDefault(false)
    ),
    debug: Flag.Boolean("debug").pipe(
      Flag.withAlias("d"),
      Flag.withDescription("Write every request and reply to stderr"),
      Flag.withDefault(false)
    )
  },
  ({ background, ...request }) =>
    background
      ? Effect.flatMap(
          load(() => import("./background.ts")),
          ({ serveInBackground }) => serveInBackground(request)
        )
      : Effect.flatMap(
          load(() => import("./serve.ts")),
          ({ serve }) => serve(request)
        )
).pipe(
  Command.withDescription(
    `Mount a filesystem and serve it, until Ctrl-C or an unmount. Options for -o:\n\n${optionsHelp}`
  ),
  Command.withShortDescription("Mount a filesystem and serve it")
)

const runtimeDirectory = Flag.Directory("runtime-directory").pipe(
  Flag.withDescription("The daemon's, where its control socket is (runtime_directory of its configuration)"),
  Flag.withDefault(defaultRuntimeDirectory())
)

const daemonCommand = Command.make(
  "daemon",
  {
    config: Flag.File("config").pipe(
      Flag.withAlias("c"),
      Flag.withDescription("The configuration. Default: bickford.toml here, the user's own, or /etc/bickford.toml"),
      Flag.optional
    )
  },
  ({ config }) =>
    Effect.flatMap(
      load(() => import("./config/commands.ts")),
      ({ daemon }) => daemon(Option.getOrUndefined(config))
    )
).pipe(Command.withDescription("Keep the mounts of a configuration; SIGHUP reads it again"))

const checkCommand = Command.make(
  "check",
  { config: Argument.String("CONFIG").pipe(Argument.withDescription("A configuration file")) },
  ({ config }) =>
    Effect.flatMap(
      load(() => import("./config/commands.ts")),
      ({ check }) => check(config)
    )
).pipe(Command.withDescription("Check a configuration, and say what it mounts"))

const statusCommand = Command.make(
  "status",
  { runtimeDirectory, json: Flag.Boolean("json").pipe(Flag.withDescription("As JSON"), Flag.withDefault(false)) },
  (input) => status(input.runtimeDirectory, input.json)
).pipe(Command.withDescription("Say how the daemon and its mounts are"))

const topCommand = Command.make(
  "top",
  {
    runtimeDirectory,
    once: Flag.Boolean("once").pipe(
      Flag.withDescription("Look for one second, and print that"),
      Flag.withDefault(false)
    )
  },
  (input) =>
    Effect.flatMap(
      load(() => import("./top/top.ts")),
      ({ top }) => top(input.runtimeDirectory, input.once)
    )
).pipe(Command.withDescription("Watch the daemon's mounts, live; q ends it"))

const logCommand = Command.make(
  "log",
  { runtimeDirectory, name: Argument.String("NAME").pipe(Argument.withDescription("A mount of the daemon")) },
  (input) => log(input.runtimeDirectory, input.name)
).pipe(Command.withDescription("Watch every request and reply of a mount, until Ctrl-C"))

const doctorCommand = Command.make(
  "doctor",
  { json: Flag.Boolean("json").pipe(Flag.withDescription("As JSON"), Flag.withDefault(false)) },
  ({ json }) =>
    Effect.flatMap(
      load(() => import("./doctor/doctor.ts")),
      ({ doctor }) => doctor(json)
    )
).pipe(Command.withDescription("Say what on this machine would stop a mount, and what to do about it"))

const restartCommand = Command.make(
  "restart",
  { runtimeDirectory, name: Argument.String("NAME").pipe(Argument.withDescription("A mount of the daemon")) },
  (input) => restart(input.runtimeDirectory, input.name)
).pipe(Command.withDescription("Have a new worker serve a mount, from the code as it is now; no call fails"))

const unmountCommand = Command.make(
  "unmount",
  {
    target: Argument.String("NAME|MOUNTPOINT").pipe(
      Argument.withDescription("A mount of the daemon, or any FUSE mount")
    ),
    runtimeDirectory,
    lazy: Flag.Boolean("lazy").pipe(
      Flag.withAlias("l"),
      Flag.withDescription("Detach it now, though busy; it ends when its last user does"),
      Flag.withDefault(false)
    )
  },
  ({ lazy, runtimeDirectory, target }) =>
    Effect.flatMap(isKept(runtimeDirectory, target), (kept) =>
      kept ? unmountKept(runtimeDirectory, target, lazy) : unmount(target, lazy)
    )
).pipe(Command.withDescription("Unmount a FUSE filesystem"))

const fsckCommand = Command.make(
  "fsck",
  {
    store: Argument.String("STORE").pipe(
      Argument.withDescription("A store that is not mounted: its path, or sqlite:PATH")
    ),
    repair: Flag.Boolean("repair").pipe(
      Flag.withDescription("Put right what is found; keep a copy of the store first"),
      Flag.withDefault(false)
    )
  },
  ({ repair, store }) =>
    Effect.flatMap(
      load(() => import("./fsck.ts")),
      ({ fsck }) => fsck(store, repair)
    )
).pipe(Command.withDescription("Check a store without changing anything, and say what would be repaired"))

const initCommand = Command.make(
  "init",
  { directory: Argument.String("DIR").pipe(Argument.withDescription("A directory, made if it is not there")) },
  ({ directory }) =>
    Effect.flatMap(
      load(() => import("./init.ts")),
      ({ init }) => init(directory)
    )
).pipe(Command.withDescription("Make a project with a filesystem, its test and a mount script"))

export const bickford = Command.make("bickford").pipe(
  Command.withDescription("FUSE filesystems, served from Node.js."),
  Command.withSubcommands([
    mountCommand,
    daemonCommand,
    checkCommand,
    statusCommand,
    topCommand,
    logCommand,
    doctorCommand,
    restartCommand,
    unmountCommand,
    fsckCommand,
    initCommand
  ])
)
