/** The programs that work on the mount while its server is killed, and what must be true of their work. */
import { mkdir } from "node:fs/promises"
import { dirname, join } from "node:path"
import { fileURLToPath } from "node:url"
import { run } from "../mount/processes.ts"
import { type Material, npmCi } from "./material.ts"

const here = dirname(fileURLToPath(import.meta.url))

export interface Load {
  readonly name: string
  /** Does the work once, in a folder that is not there yet, checks it, and takes it away. Fails with what was wrong. */
  readonly once: (folder: string) => Promise<void>
}

/** What the longest single call, or transaction, of a load took, milliseconds. */
export type Slowest = Map<string, number>

const patience = { timeoutMilliseconds: 600_000 }
const quiet = { ...patience, env: { ...process.env, LC_ALL: "C" } }

const must = (wrong: string): never => {
  throw new Error(wrong)
}

export const makeLoads = (
  material: Material,
  calls: number,
  namesProgram: string,
  slowest: Slowest
): ReadonlyArray<Load> => {
  const took = (load: string, milliseconds: number): void =>
    void slowest.set(load, Math.max(slowest.get(load) ?? 0, milliseconds))
  return [
    {
      name: "git clone",
      once: async (folder) => {
        await run("git", ["clone", "-q", material.repository, folder], quiet)
        await run("git", ["-C", folder, "fsck", "--full", "--strict"], quiet)
        const commits = await run("git", ["-C", folder, "rev-list", "--count", "HEAD"], quiet)
        if (Number(commits) !== material.commits) must(`the clone has ${commits.trim()} commits`)
        const status = await run("git", ["-C", folder, "status", "--porcelain"], quiet)
        if (status !== "") must(`the clone is not clean: ${status}`)
        await run("rm", ["-r", folder], quiet)
      }
    },
    {
      name: "tar x",
      once: async (folder) => {
        await run("mkdir", [folder], quiet)
        await run("tar", ["xf", material.archive, "-C", folder], quiet)
        await run("diff", ["-r", material.tree, join(folder, "tree")], quiet)
        await run("rm", ["-r", folder], quiet)
      }
    },
    {
      name: "npm ci",
      once: async (folder) => {
        await run("cp", ["-r", material.project, folder], quiet)
        await run("npm", npmCi(material.npmCache), { ...quiet, cwd: folder })
        await run("diff", ["-r", join(material.installed, "node_modules"), join(folder, "node_modules")], quiet)
        await run("rm", ["-r", folder], quiet)
      }
    },
    {
      name: "SQLite",
      once: async (folder) => {
        await run("mkdir", [folder], quiet)
        const program = [
          process.execPath,
          "--disable-warning=ExperimentalWarning",
          join(here, "rows.mjs"),
          join(folder, "rows.db"),
          "1000"
        ] as const
        const [command, ...args] = program
        const found: { readonly integrity: string; readonly whole: boolean; readonly slowest: number } = JSON.parse(
          await run(command, args, quiet)
        )
        took("a transaction", found.slowest)
        if (found.integrity !== "ok" || !found.whole) must(`the database: ${JSON.stringify(found)}`)
        await run("rm", ["-r", folder], quiet)
      }
    },
    {
      name: "names",
      once: async (folder) => {
        await run("mkdir", [folder], quiet)
        const found: { readonly slowest: number } = JSON.parse(
          await run(namesProgram, [folder, "8", String(calls)], quiet)
        )
        took("a call", found.slowest)
        await run("rm", ["-r", folder], quiet)
      }
    }
  ]
}

export const compileNames = async (folder: string): Promise<string> => {
  await mkdir(folder, { recursive: true })
  const program = join(folder, "names")
  await run("gcc", ["-O2", "-o", program, join(here, "names.c")])
  return program
}
