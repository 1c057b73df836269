/** `workspace:DIR`, a directory whose changes go to a branch. */
import * as Effect from "effect/Effect"
import { resolve } from "node:path"
import { commandError } from "../CommandError.ts"
import { locksOfTheKernel } from "./locks.ts"
import type { SourceKind } from "./SourceKind.ts"

const load = () => import("@bickford/backends")

export const workspaceSource: SourceKind = {
  kind: "workspace",
  operand: "DIR",
  help: "a folder, changes go to a branch",
  needs: "a folder",
  exclusive: false,
  // Its directory may be covered by the mount, and a look at it would wait for the worker that is to be replaced.
  tryLocked: () => Effect.void,
  covered: "reached",
  holdsMountpoint: "refused",
  options: [
    "entry_timeout",
    "attr_timeout",
    "negative_timeout",
    "size",
    "nr_inodes",
    "no_xattr",
    "branch",
    "store",
    "no_audit"
  ],
  refuses: locksOfTheKernel,
  selected: ({ workspace: { branch, store } }) => JSON.stringify({ branch, store }),
  load,
  open: (path, options) =>
    Effect.gen(function* () {
      const { branchFile, mainBranch, makeHome, refusedBranchName, workspace, workspaceHome } =
        yield* Effect.promise(load)
      const { audit = true, branch = mainBranch, store } = options.workspace
      const refused = refusedBranchName(branch)
      if (refused !== undefined) return yield* Effect.fail(commandError(`option branch: ${refused}`))
      const directory = resolve(path)
      const home = store ?? workspaceHome(directory)
      yield* Effect.try({
        try: () => makeHome(home),
        catch: (error) => commandError(`${home}: ${error instanceof Error ? error.message : String(error)}`)
      })
      const served = workspace(directory, { ...options.memory, audit, store: branchFile(home, branch) })
      // Opened once before the mount: what is wrong with it is said then.
      return yield* Effect.scoped(served).pipe(
        Effect.mapError(({ message }) => commandError(message)),
        Effect.as(served)
      )
    })
}
