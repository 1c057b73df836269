/** The commands, as typed. */
import * as Argument from "effect/cli/Argument"
import * as Command from "effect/cli/Command"
import * as Flag from "effect/cli/Flag"
import { fsck } from "./fsck.ts"
import { optionsHelp } from "./mountOptions.ts"
import { serve } from "./serve.ts"
import { unmount } from "./unmount.ts"

const mountpoint = Argument.String("MOUNTPOINT").pipe(Argument.withDescription("An existing folder (or file)"))

const mountCommand = Command.make(
  "mount",
  {
    source: Argument.String("SOURCE").pipe(Argument.withDescription("What to serve: memory: (empty at each start), sqlite:PATH (a store in one file) or module:PATH (the export `backend` of a module)")),
    mountpoint,
    options: Flag.String("options").pipe(
      Flag.withAlias("o"),
      Flag.withMetavar("OPTIONS"),
      Flag.withDescription("Mount options, separated by commas"),
      Flag.atLeast(0)
    )
  },
  serve
).pipe(
  Command.withDescription(`Mount a filesystem and serve it, until Ctrl-C or an unmount. Options for -o:\n\n${optionsHelp}`),
  Command.withShortDescription("Mount a filesystem and serve it")
)

const unmountCommand = Command.make(
  "unmount",
  {
    mountpoint,
    lazy: Flag.Boolean("lazy").pipe(
      Flag.withAlias("l"),
      Flag.withDescription("Detach it now, though busy; it ends when its last user does"),
      Flag.withDefault(false)
    )
  },
  (input) => unmount(input.mountpoint, input.lazy)
).pipe(Command.withDescription("Unmount a FUSE filesystem"))

const fsckCommand = Command.make(
  "fsck",
  { store: Argument.String("STORE").pipe(Argument.withDescription("A store that is not mounted: its path, or sqlite:PATH")) },
  (input) => fsck(input.store)
).pipe(Command.withDescription("Check a store, and say what would be repaired"))

export const bickford = Command.make("bickford").pipe(
  Command.withDescription("FUSE filesystems, served from Node.js."),
  Command.withSubcommands([mountCommand, unmountCommand, fsckCommand])
)
