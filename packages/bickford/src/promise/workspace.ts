/**
 * Branches of a directory for programs that do not use Effect.
 *
 * ```ts
 * const workspace = await openWorkspace("/srv/app")
 * const branch = workspace.branch("try-1")
 * await branch.run("npm", ["install", "something"])
 * for (const { kind, path } of await branch.diff()) console.log(kind, path)
 * await branch.commit()
 * ```
 */
import {
  type AuditFilter,
  type AuditRecord,
  type Branch,
  type BranchEvent,
  type BranchFile,
  type BranchToRead,
  type Change,
  type Conflict,
  type FileStat,
  type OnConflict,
  openWorkspace as openWorkspaceEffect,
  type Workspace as EffectWorkspace
} from "@bickford/backends"
import { logToStderr } from "@bickford/session"
import * as Cause from "effect/Cause"
import * as Effect from "effect/Effect"
import * as Exit from "effect/Exit"
import { spawn } from "node:child_process"
import { buffer } from "node:stream/consumers"
import { commandProgram } from "./commandProgram.ts"

/** Why something could not be done with a branch. */
export class WorkspaceFailure extends Error {
  override readonly name = "WorkspaceFailure"
  /** `ERR_WORKSPACE_CONFLICT`: a commit was stopped by `conflicts`; `ERR_WORKSPACE_BUSY`: it is mounted, or a command runs on it. */
  readonly code: "ERR_WORKSPACE" | "ERR_WORKSPACE_CONFLICT" | "ERR_WORKSPACE_BUSY"
  /** What others have changed in the directory, in the same places. */
  readonly conflicts: ReadonlyArray<Conflict>

  constructor(message: string, code: WorkspaceFailure["code"], conflicts: ReadonlyArray<Conflict> = []) {
    super(message)
    this.code = code
    this.conflicts = conflicts
  }
}

interface Failure {
  readonly _tag: string
  readonly message: string
  readonly conflicts?: ReadonlyArray<Conflict>
}

const failureOf = ({ _tag, conflicts, message }: Failure): WorkspaceFailure => {
  if (_tag === "WorkspaceConflictError") return new WorkspaceFailure(message, "ERR_WORKSPACE_CONFLICT", conflicts)
  return new WorkspaceFailure(message, _tag === "StoreBusyError" ? "ERR_WORKSPACE_BUSY" : "ERR_WORKSPACE")
}

const run = async <A>(effect: Effect.Effect<A, Failure>): Promise<A> => {
  const exit = await Effect.runPromiseExit(Effect.provide(effect, logToStderr))
  if (Exit.isSuccess(exit)) return exit.value
  const error = Cause.findErrorOption(exit.cause)
  throw error._tag === "Some" ? failureOf(error.value) : Cause.squash(exit.cause)
}

/** How a command is run on a branch. */
export interface RunOptions {
  /** Where it begins: an absolute path, in the directory as a rule. Default: the directory. */
  readonly cwd?: string
  /** Default: this process's own. */
  readonly env?: NodeJS.ProcessEnv
  /** `none`: without a network. */
  readonly net?: "none"
  /** What it reads from stdin. Default: nothing. */
  readonly input?: string | Uint8Array
  /** Ends it (SIGTERM); the promise is rejected with the signal's reason once it has ended. */
  readonly signal?: AbortSignal
}

/** How a command has ended, and what it has written. */
export interface RunResult {
  /** 128 and a signal's number for one that was killed. */
  readonly exitCode: number
  readonly stdout: string
  readonly stderr: string
}

/**
 * A branch of a directory. Nothing of it is held between two calls. What looks at it, and what makes checkpoints and forks of it,
 * may be called while it is mounted; `reset`, `commit` and `delete` fail then. Of two calls at once one may fail.
 */
export class WorkspaceBranch implements AsyncDisposable {
  readonly name: string
  readonly #workspace: EffectWorkspace
  #keep = false

  /** Made by `branch` and `fork` of a workspace. */
  constructor(workspace: EffectWorkspace, name: string) {
    this.#workspace = workspace
    this.name = name
  }

  #with<A>(use: (branch: Branch) => Effect.Effect<A, Failure>): Promise<A> {
    return run(Effect.scoped(Effect.flatMap(this.#workspace.branch(this.name), use)))
  }

  #look<A>(use: (branch: BranchToRead) => Effect.Effect<A, Failure>): Promise<A> {
    return run(Effect.scoped(Effect.flatMap(this.#workspace.branchToRead(this.name), use)))
  }

  /**
   * Runs a command that sees the directory as the branch has it, by the same path, in a mount namespace of its own, as
   * `bickford run` does. Others than root are root in it. What the command does outside of the directory it does to the system.
   */
  async run(program: string, args: ReadonlyArray<string> = [], options: RunOptions = {}): Promise<RunResult> {
    const { base, store } = this.#workspace
    const { cwd = base, env = process.env, input = "", net, signal } = options
    signal?.throwIfAborted()
    const flags = ["--quiet", "--workspace", base, "--store", store, "--branch", this.name]
    const { args: before, file } = commandProgram()
    const child = spawn(
      file,
      [...before, "run", ...flags, ...(net === undefined ? [] : ["--net", net]), "--", program, ...args],
      { cwd, env, stdio: "pipe" }
    )
    const stop = (): void => void child.kill("SIGTERM")
    signal?.addEventListener("abort", stop, { once: true })
    // It may end without reading it.
    child.stdin.on("error", () => {}).end(input)
    const ended = new Promise<number>((resolve, reject) => {
      child.once("error", reject)
      child.once("close", (code) => resolve(code ?? 128))
    })
    const [exitCode, stdout, stderr] = await Promise.all([ended, buffer(child.stdout), buffer(child.stderr)])
    signal?.removeEventListener("abort", stop)
    signal?.throwIfAborted()
    return { exitCode, stdout: stdout.toString(), stderr: stderr.toString() }
  }

  /** What was changed, by path. */
  diff(): Promise<ReadonlyArray<Change>> {
    return this.#look(({ diff }) => diff)
  }

  /** What was changed as a patch that `git apply` takes. */
  patch(): Promise<Uint8Array> {
    return this.#look(({ patch }) => patch)
  }

  /** How many lines of each file were changed. */
  stat(): Promise<ReadonlyArray<FileStat>> {
    return this.#look(({ stat }) => stat)
  }

  /** Who changed what, the earliest first. */
  audit(filter?: AuditFilter): Promise<ReadonlyArray<AuditRecord>> {
    return this.#look(({ audit }) => audit(filter))
  }

  /** What became of the branch, the latest first. */
  log(): Promise<ReadonlyArray<BranchEvent>> {
    return this.#look(({ log }) => log)
  }

  /** Keeps what the branch holds now under a name. */
  checkpoint(name: string): Promise<void> {
    return this.#look((branch) => branch.checkpoint(name))
  }

  /** The names of its checkpoints. */
  checkpoints(): Promise<ReadonlyArray<string>> {
    return this.#look(({ checkpoints }) => checkpoints)
  }

  /** Has the branch hold what it held at a checkpoint; without a name nothing, so that it shows the directory as it is. */
  reset(checkpoint?: string): Promise<void> {
    return this.#with((branch) => branch.reset(checkpoint))
  }

  /** Makes a branch that holds what this one holds, or held at a checkpoint. */
  async fork(name: string, checkpoint?: string): Promise<WorkspaceBranch> {
    await run(this.#workspace.fork(this.name, name, checkpoint))
    return new WorkspaceBranch(this.#workspace, name)
  }

  /** Brings the changes into the directory, all of them or none; returns those. Then the branch holds none. */
  async commit(options: { readonly onConflict?: OnConflict } = {}): Promise<ReadonlyArray<Change>> {
    const { applied } = await this.#with(({ commit }) => commit(options))
    return applied
  }

  /** Throws the branch away, with its checkpoints. */
  delete(): Promise<void> {
    this.#keep = true
    return run(this.#workspace.delete(this.name))
  }

  /** Has the branch outlive its `await using`. */
  keep(): void {
    this.#keep = true
  }

  /** Throws the branch away, unless it is to be kept, or was thrown away before. */
  async [Symbol.asyncDispose](): Promise<void> {
    if (this.#keep) return
    const branches = await run(this.#workspace.branches)
    if (branches.some(({ name }) => name === this.name)) await this.delete()
  }
}

/** A directory and its branches. */
export interface Workspace {
  /** The directory's path, without links. */
  readonly base: string
  /** The directory that keeps the branches. */
  readonly store: string
  /** A branch, which is made when something is first done with it. `await using` throws it away in the end; `keep` keeps it. */
  readonly branch: (name: string) => WorkspaceBranch
  /** The branches that are there, by name. */
  readonly branches: () => Promise<ReadonlyArray<BranchFile>>
}

/**
 * Opens the workspace of a directory. Its branches are kept in the directory `store`; by default in the user's data
 * directory, where the command `bickford` finds them.
 */
export const openWorkspace = async (
  directory: string,
  options: { readonly store?: string } = {}
): Promise<Workspace> => {
  const workspace = await run(openWorkspaceEffect(directory, options))
  return {
    base: workspace.base,
    store: workspace.store,
    branch: (name) => new WorkspaceBranch(workspace, name),
    branches: () => run(workspace.branches)
  }
}
