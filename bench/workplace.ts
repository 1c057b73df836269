/** Where a run keeps its things: one fresh folder, of which nothing is left. Built programs stay in bench/build. */
import { abortConnection, findMount, mountTable } from "@bickford/transport"
import * as Effect from "effect/Effect"
import { mkdir, mkdtemp, realpath, rm } from "node:fs/promises"
import { tmpdir } from "node:os"
import { dirname, join } from "node:path"
import { fileURLToPath } from "node:url"
import { attempt } from "../test/mount/processes.ts"

export const benchFolder = dirname(fileURLToPath(import.meta.url))
export const rootFolder = dirname(benchFolder)
export const buildFolder = join(benchFolder, "build")

export interface Workplace {
  readonly folder: string
  /** A new empty folder. */
  readonly makeFolder: (name: string) => Promise<string>
  /** A new folder on a tmpfs: storage that does not depend on the disk. */
  readonly makeStorage: (name: string) => Promise<string>
  readonly remove: () => Promise<void>
}

/** Lets everyone go who waits for the filesystem at `mountpoint`. Says what was done. */
export const abortMount = async (mountpoint: string): Promise<string> => {
  const mounted = findMount(mountpoint)
  if (mounted === undefined || !mounted.type.startsWith("fuse")) return `nothing is mounted at ${mountpoint}`
  await Effect.runPromise(abortConnection(mounted))
  return `the connection of ${mountpoint} was aborted`
}

export const makeWorkplace = async (): Promise<Workplace> => {
  const folder = await realpath(await mkdtemp(join(tmpdir(), "bickford-bench-")))
  const makeFolder = async (name: string): Promise<string> => {
    const made = join(folder, name)
    await mkdir(made)
    return made
  }
  return {
    folder,
    makeFolder,
    makeStorage: async (name) => {
      const made = await makeFolder(name)
      const { status, stderr } = await attempt("mount", ["-t", "tmpfs", "-o", "mode=755", "bench", made])
      if (status !== 0) throw new Error(stderr)
      return made
    },
    remove: async () => {
      const ours = mountTable().filter(({ mountpoint }) => mountpoint.startsWith(`${folder}/`))
      for (const { mountpoint } of ours.toReversed()) await attempt("umount", ["-l", mountpoint])
      await rm(folder, { recursive: true, force: true })
    }
  }
}
