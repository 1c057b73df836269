/**
 * Runs a command that sees a directory as it is, and whose changes go to a branch.
 *
 * The command has a mount namespace of its own (unshare(1)), in which the branch lies over the directory: no path changes, and
 * nobody else sees the mount. Others than root get a user namespace, too, in which they are root. This program runs itself
 * there, mounts, and starts the command by a shell, which enters the directory: a child that this process starts in its own
 * mount would have it wait for itself.
 */
import { commandError, sameCommand } from "@bickford/daemon"
import * as Flag from "effect/cli/Flag"
import * as Console from "effect/Console"
import * as Effect from "effect/Effect"
import * as Option from "effect/Option"
import { spawn } from "node:child_process"
import { existsSync } from "node:fs"
import { constants } from "node:os"
import { load } from "../arguments.ts"
import { openNamed, placesOf, storeDirectory } from "../branches.ts"
import { changeLine } from "../changes.ts"

/** Set for the program that runs in the namespaces: the name of the branch. */
const insideVariable = "BICKFORD_RUN_BRANCH"

const passedOn = ["SIGTERM", "SIGHUP", "SIGINT", "SIGQUIT", "SIGUSR1", "SIGUSR2"] as const

/** Runs a program to its end: its exit code, or 128 and the signal's number. Signals are passed on to it. */
const runToEnd = (command: string, args: ReadonlyArray<string>, environment: NodeJS.ProcessEnv, cwd?: string) =>
  Effect.callback<number, ReturnType<typeof commandError>>((resume) => {
    const child = spawn(command, args, { stdio: "inherit", env: environment, ...(cwd === undefined ? {} : { cwd }) })
    const pass = (signal: NodeJS.Signals): void => void child.kill(signal)
    // The terminal sends Ctrl-C to all of its programs by itself.
    const ignore = (): void => {}
    const handlers = passedOn.map((signal) => {
      const handler = process.stdin.isTTY && (signal === "SIGINT" || signal === "SIGQUIT") ? ignore : pass
      process.on(signal, handler)
      return [signal, handler] as const
    })
    const stop = (): void => {
      for (const [signal, handler] of handlers) process.off(signal, handler)
    }
    child.once("error", ({ message }) => {
      stop()
      resume(Effect.fail(commandError(`${command}: ${message}`)))
    })
    child.once("exit", (code, signal) => {
      stop()
      resume(Effect.succeed(code ?? 128 + (signal === null ? 0 : constants.signals[signal])))
    })
  })

/** What is run, and on which branch. */
export interface RunInput {
  readonly workspace: string
  readonly branch: Option.Option<string>
  readonly store: Option.Option<string>
  readonly net: Option.Option<"none">
  readonly commitOnSuccess: boolean
  /** A branch that was not named is kept, too, where it holds nothing. */
  readonly keep: boolean
  /** Nothing is said of the changes. */
  readonly quiet: boolean
  readonly command: ReadonlyArray<string>
}

/** In the namespaces: mounts, and runs the command. */
const inside = Effect.fnUntraced(function* (input: RunInput, name: string) {
  const { branchFile, makeHome, workspace } = yield* load(() => import("@bickford/backends"))
  const { mount } = yield* load(() => import("@bickford/session"))
  const { base, home } = yield* placesOf(input.workspace, input.store)
  const here = process.cwd()
  makeHome(home)
  // The shell's directory is outside of the mount, and it is the shell that enters it.
  process.chdir("/")
  yield* mount({
    mountpoint: base,
    fsname: `workspace:${base}`,
    backend: workspace(base, { store: branchFile(home, name) })
  }).pipe(Effect.mapError(({ message }) => commandError(message)))
  const { [insideVariable]: _, ...environment } = process.env
  return yield* runToEnd("/bin/sh", ["-c", 'cd "$0" && exec "$@"', here, ...input.command], environment, "/")
}, Effect.scoped)

/** What the branch holds now, and what can be done with it; one that holds nothing goes. */
const conclude = Effect.fnUntraced(function* (input: RunInput, name: string, code: number) {
  const { branchFile, deleteBranch, forgetConnection } = yield* load(() => import("@bickford/backends"))
  const { base, home } = yield* placesOf(input.workspace, input.store)
  // It was not mounted, and that was said.
  if (!existsSync(branchFile(home, name))) return
  const left = yield* Effect.scoped(
    Effect.gen(function* () {
      const branch = yield* openNamed(input.workspace, input.store, name)
      // Nobody serves it, and where the server was killed its mount is gone with the namespace.
      forgetConnection(branchFile(home, name))
      const changes = yield* branch.diff
      if (changes.length === 0) return 0
      if (input.commitOnSuccess && code === 0) {
        yield* branch.commit().pipe(Effect.mapError(({ message }) => commandError(message)))
        return 0
      }
      if (input.quiet) return changes.length
      if (process.stderr.isTTY) {
        for (const change of changes.slice(0, 20)) yield* Console.error(changeLine(change))
        if (changes.length > 20) yield* Console.error(`... and ${changes.length - 20} more`)
      }
      yield* Console.error(
        `bickford: ${changes.length} changes on branch ${name}: "bickford commit -b ${name} ${base}" keeps them, "bickford branch delete ${base} ${name}" throws them away`
      )
      return changes.length
    })
  )
  if (left === 0 && Option.isNone(input.branch) && !input.keep) deleteBranch(branchFile(home, name))
})

const outside = Effect.fnUntraced(function* (input: RunInput) {
  const name = Option.getOrElse(input.branch, () => `run-${Date.now().toString(36)}-${process.pid}`)
  const namespaces = [
    "--mount",
    "--propagation=private",
    ...(process.geteuid?.() === 0 ? [] : ["--user", "--map-root-user"]),
    ...(Option.isSome(input.net) ? ["--net"] : [])
  ]
  const { args, file } = sameCommand()
  const own = [file, ...args, ...process.argv.slice(2)]
  const code = yield* runToEnd("unshare", [...namespaces, "--", ...own], { ...process.env, [insideVariable]: name })
  yield* conclude(input, name, code)
  return code
})

/** Runs the command; the exit code is its. */
export const runOnBranch = Effect.fnUntraced(function* (input: RunInput) {
  const name = process.env[insideVariable]
  process.exitCode = yield* name === undefined ? outside(input) : inside(input, name)
})

/** The flags of commands that run something on a branch. */
export const runFlags = {
  workspace: Flag.String("workspace").pipe(
    Flag.withDescription("The directory whose changes go to a branch (default: this one)"),
    Flag.withDefault(".")
  ),
  branch: Flag.String("branch").pipe(
    Flag.withAlias("b"),
    Flag.withDescription("The branch, which is kept (default: a new one, kept when there are changes)"),
    Flag.optional
  ),
  store: storeDirectory,
  net: Flag.Literals("net", ["none"]).pipe(Flag.withDescription("none: without a network"), Flag.optional),
  commitOnSuccess: Flag.Boolean("commit-on-success").pipe(
    Flag.withDescription("Bring the changes into the directory when the command ends with 0"),
    Flag.withDefault(false)
  ),
  keep: Flag.Boolean("keep").pipe(
    Flag.withDescription("Keep the new branch also when there are no changes: its log and its audit"),
    Flag.withDefault(false)
  ),
  quiet: Flag.Boolean("quiet").pipe(
    Flag.withAlias("q"),
    Flag.withDescription("Say nothing of the changes at the end"),
    Flag.withDefault(false)
  )
}
