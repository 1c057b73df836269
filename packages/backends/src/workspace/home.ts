/**
 * Where a workspace keeps its branches: a directory with a store for each. By default it lies in the user's data directory,
 * under a name that comes from the base directory's path.
 */
import { createHash } from "node:crypto"
import { existsSync, mkdirSync, readdirSync, rmSync, statSync } from "node:fs"
import { homedir } from "node:os"
import { basename, dirname, join } from "node:path"

/** The branch that is meant where none is named. */
export const mainBranch = "main"

const ending = ".branch"
const nameForm = /^[\p{L}\p{N}_][\p{L}\p{N}._-]{0,99}$/u

/** Why a text cannot be the name of a branch or a checkpoint, if so. */
export const refusedBranchName = (name: string, what: "branch" | "checkpoint" = "branch"): string | undefined =>
  nameForm.test(name)
    ? undefined
    : `${JSON.stringify(name)} is not a name for a ${what}: up to 100 letters, digits, dots, - and _, and neither a dot nor a - at the start`

/** The directory that has the branches of `base`, an absolute path without links. It need not be there. */
export const workspaceHome = (base: string): string => {
  const given = process.env["XDG_DATA_HOME"]
  const data = given === undefined || given === "" ? join(homedir(), ".local", "share") : given
  const hash = createHash("sha256").update(base).digest("hex").slice(0, 12)
  return join(data, "bickford", "workspaces", `${basename(base) || "root"}-${hash}`)
}

/** The store of a branch. */
export const branchFile = (home: string, name: string): string => join(home, name + ending)

/** The branch that a file of the directory is the store of, if it is one. */
const branchOf = (file: string): string | undefined => {
  const name = file.endsWith(ending) ? file.slice(0, -ending.length) : undefined
  return name !== undefined && nameForm.test(name) ? name : undefined
}

/** The name of the branch whose store is at a path; the file's name where that is none of a branch. */
export const branchNameOf = (store: string): string => branchOf(basename(store)) ?? basename(store)

/** The copy of a branch's store that is a checkpoint of it. */
export const checkpointFile = (store: string, name: string): string => `${store}@${name}`

const namesIn = (directory: string): ReadonlyArray<string> => {
  try {
    return readdirSync(directory).sort()
  } catch (error) {
    if (error instanceof Error && "code" in error && error.code === "ENOENT") return []
    throw error
  }
}

/** The names of a branch's checkpoints. */
export const listCheckpoints = (store: string): ReadonlyArray<string> => {
  const prefix = `${basename(store)}@`
  return namesIn(dirname(store))
    .filter((file) => file.startsWith(prefix))
    .map((file) => file.slice(prefix.length))
    .filter((name) => nameForm.test(name) && !isUnfinished(name))
}

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
export const listBranches = (home: string): ReadonlyArray<BranchFile> =>
  namesIn(home).flatMap((file) => {
    const name = branchOf(file)
    return name === undefined ? [] : [{ name, bytes: statSync(join(home, file)).size }]
  })

/** The file with what the kernel knows of the base, for the next server of the same connection. */
export const nodeJournalFile = (store: string): string => `${store}-nodes`

/**
 * Removes what a server of a branch that was killed has left for the next one of its connection. Only for who knows that there
 * is no such connection any more, as `bickford run` does of its own.
 */
export const forgetConnection = (store: string): void => rmSync(nodeJournalFile(store), { force: true })

/** What SQLite and the store keep beside a store's file. */
const companions = ["-wal", "-shm", "-reserve", "-nodes"]

/** Removes the files of a branch that nobody serves, with its checkpoints. */
export const deleteBranch = (file: string): void => {
  for (const name of listCheckpoints(file)) rmSync(checkpointFile(file, name), { force: true })
  for (const ending of [...companions, ""]) rmSync(file + ending, { force: true })
}

/** The name of a copy that is not complete has the process that makes it. */
const unfinishedForm = /\.new-(\d+)-[0-9a-f]{8}$/

const isUnfinished = (name: string): boolean => unfinishedForm.test(name)

const isRunning = (pid: number): boolean => existsSync(`/proc/${pid}`)

/** Whether a file belongs to nothing: to a branch that is gone, or to a copy that was never completed. */
const isLeftOver = (file: string, branches: ReadonlySet<string>): boolean => {
  const store = companions.reduce(
    (name, ending) => (name.endsWith(ending) ? name.slice(0, -ending.length) : name),
    file
  )
  const maker = unfinishedForm.exec(store)?.[1]
  if (maker !== undefined) return !isRunning(Number(maker))
  const [owner = ""] = store.split("@")
  return store !== file || owner !== store ? branchOf(owner) !== undefined && !branches.has(owner) : false
}

/** Removes what killed commands have left in the directory of a workspace. Returns the names of the files. */
export const removeLeftOvers = (home: string): ReadonlyArray<string> => {
  const names = namesIn(home)
  const branches = new Set(names.filter((file) => branchOf(file) !== undefined))
  const left = names.filter((file) => isLeftOver(file, branches))
  for (const file of left) rmSync(join(home, file), { force: true })
  return left
}
