/**
 * Where a workspace keeps its branches: a directory with a store for each. By default it lies in the user's data directory,
 * under a name that comes from the base directory's path.
 */
import { createHash } from "node:crypto"
import { mkdirSync, readdirSync, rmSync, statSync } from "node:fs"
import { homedir } from "node:os"
import { basename, join } from "node:path"

/** The branch that is meant where none is named. */
export const mainBranch = "main"

const ending = ".branch"
const nameForm = /^[\p{L}\p{N}_][\p{L}\p{N}._-]{0,99}$/u

/** Why a text cannot be a branch's name, if so. */
export const refusedBranchName = (name: string): string | undefined =>
  nameForm.test(name)
    ? undefined
    : `${JSON.stringify(name)} is no name for a branch: up to 100 letters, digits, dots, - and _, and neither a dot nor a - at the start`

/** The directory that has the branches of `base`, an absolute path without links. It need not be there. */
export const workspaceHome = (base: string): string => {
  const given = process.env["XDG_DATA_HOME"]
  const data = given === undefined || given === "" ? join(homedir(), ".local", "share") : given
  const hash = createHash("sha256").update(base).digest("hex").slice(0, 12)
  return join(data, "bickford", "workspaces", `${basename(base) || "root"}-${hash}`)
}

/** The store of a branch. */
export const branchFile = (home: string, name: string): string => join(home, name + ending)

/** The branch of a store's path, if it is one. */
const branchOf = (file: string): string | undefined =>
  file.endsWith(ending) ? file.slice(0, -ending.length) : undefined

/** Makes the directory of a workspace, for its user alone. */
export const makeHome = (home: string): void => {
  mkdirSync(home, { recursive: true, mode: 0o700 })
}

/** A branch of a workspace. */
export interface BranchFile {
  readonly name: string
  /** Bytes of its file. */
  readonly bytes: number
}

/** The branches that a workspace has, by name; none where it is not there. */
export const listBranches = (home: string): ReadonlyArray<BranchFile> => {
  try {
    return readdirSync(home)
      .sort()
      .flatMap((file) => {
        const name = branchOf(file)
        return name === undefined ? [] : [{ name, bytes: statSync(join(home, file)).size }]
      })
  } catch (error) {
    if (error instanceof Error && "code" in error && error.code === "ENOENT") return []
    throw error
  }
}

/** Removes the files of a branch that nobody serves. */
export const deleteBranch = (file: string): void => {
  for (const ending of ["-wal", "-shm", "-reserve", "-nodes", ""]) rmSync(file + ending, { force: true })
}
