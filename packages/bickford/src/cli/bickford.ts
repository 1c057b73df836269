/** The command `bickford`. A subcommand is a file in `commands/`, and its row here. */
import * as Command from "effect/cli/Command"
import { auditCommand } from "./commands/audit.ts"
import { benchCommand } from "./commands/bench.ts"
import { branchCommand } from "./commands/branch.ts"
import { checkCommand } from "./commands/check.ts"
import { checkpointCommand, resetCommand } from "./commands/checkpoint.ts"
import { completionCommand } from "./commands/completion.ts"
import { commitCommand } from "./commands/commit.ts"
import { daemonCommand } from "./commands/daemon.ts"
import { dashboardCommand } from "./commands/dashboard.ts"
import { diffCommand } from "./commands/diff.ts"
import { doctorCommand } from "./commands/doctor.ts"
import { fsckCommand } from "./commands/fsck.ts"
import { infoCommand } from "./commands/info.ts"
import { initCommand } from "./commands/init.ts"
import { logCommand } from "./commands/log.ts"
import { lsCommand } from "./commands/ls.ts"
import { mountCommand } from "./commands/mount.ts"
import { restartCommand } from "./commands/restart.ts"
import { runCommand } from "./commands/run.ts"
import { shellCommand } from "./commands/shell.ts"
import { statsCommand } from "./commands/stats.ts"
import { statusCommand } from "./commands/status.ts"
import { topCommand } from "./commands/top.ts"
import { traceCommand } from "./commands/trace.ts"
import { unmountCommand } from "./commands/unmount.ts"

export const bickford = Command.make("bickford").pipe(
  Command.withDescription("FUSE filesystems, served from Node.js."),
  Command.withSubcommands([
    mountCommand,
    daemonCommand,
    checkCommand,
    lsCommand,
    statusCommand,
    topCommand,
    statsCommand,
    benchCommand,
    dashboardCommand,
    traceCommand,
    logCommand,
    doctorCommand,
    restartCommand,
    unmountCommand,
    fsckCommand,
    infoCommand,
    diffCommand,
    commitCommand,
    checkpointCommand,
    resetCommand,
    auditCommand,
    branchCommand,
    runCommand,
    shellCommand,
    initCommand,
    completionCommand
  ])
)
