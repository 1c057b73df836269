/** How large the stores of mounts are, and whether they are sound. */
import * as Effect from "effect/Effect"
import { execFile } from "node:child_process"
import { stat, statfs } from "node:fs/promises"
import { dirname } from "node:path"
import { type CommandError, commandError } from "../CommandError.ts"
import { sameCommand } from "../ownProgram.ts"
import { isParsed, parseSource } from "../sources/index.ts"

/** Sizes are bytes. */
export interface StoreStatus {
  readonly path: string
  readonly fileBytes: number
  /** Of the write-ahead log. */
  readonly logBytes: number
  /** That the disk has room for. */
  readonly freeBytes: number
}

/** What `bickford fsck` said. */
export interface StoreCheck {
  readonly clean: boolean
  readonly text: string
}

/** The path of a source that is a store in a file. */
const storeOf = (source: string): string | undefined => {
  const parsed = parseSource(source)
  return isParsed(parsed) && parsed.kind.kind === "sqlite" ? parsed.path : undefined
}

const sizeOf = (path: string): Promise<number> =>
  stat(path).then(
    ({ size }) => size,
    () => 0
  )

const look = async (path: string): Promise<StoreStatus> => {
  const [fileBytes, logBytes, freeBytes] = await Promise.all([
    sizeOf(path),
    sizeOf(`${path}-wal`),
    statfs(dirname(path)).then(
      ({ bavail, bsize }) => bavail * bsize,
      () => 0
    )
  ])
  return { path, fileBytes, logBytes, freeBytes }
}

/**
 * Returns what was last seen of a source's store, and looks again meanwhile; undefined for what is none, and until the first
 * look is over. Nobody waits for a look: the disk may be a mount that does not answer.
 */
export const makeStoreWatch = (): ((source: string) => StoreStatus | undefined) => {
  const seen = new Map<string, StoreStatus>()
  const looking = new Set<string>()
  return (source) => {
    const path = storeOf(source)
    if (path === undefined) return undefined
    if (!looking.has(path)) {
      looking.add(path)
      void look(path)
        .then((status) => seen.set(path, status))
        .finally(() => looking.delete(path))
    }
    return seen.get(path)
  }
}

/** Bytes of what fsck says that are kept. */
const outputMost = 64 * 1024

/** Checks the store of a source, which nobody may be serving, in a process of its own; changes nothing. */
export const checkStoreOf = (source: string): Effect.Effect<StoreCheck, CommandError> => {
  const path = storeOf(source)
  if (path === undefined) return Effect.fail(commandError("only a store, sqlite:PATH, can be checked"))
  return Effect.callback<StoreCheck, CommandError>((resume) => {
    const { args, file } = sameCommand()
    const child = execFile(file, [...args, "fsck", path], { maxBuffer: outputMost }, (error, stdout, stderr) => {
      const text = `${stdout}${stderr}`.trim()
      if (error === null) resume(Effect.succeed({ clean: true, text }))
      else if (text === "") resume(Effect.fail(commandError(error.message)))
      else resume(Effect.succeed({ clean: false, text }))
    })
    return Effect.sync(() => child.kill("SIGKILL"))
  })
}
