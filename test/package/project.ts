/** A project outside the checkout, on a machine that has neither compiler nor python. */
import { existsSync } from "node:fs"
import { chmod, mkdir, mkdtemp, readdir, readFile, realpath, rm, symlink, writeFile } from "node:fs/promises"
import { tmpdir } from "node:os"
import { join } from "node:path"
import { findMount } from "@bickford/transport"
import { abort, root } from "../mount/bickford.ts"
import { attempt, type Outcome, run } from "../mount/processes.ts"

/** Long enough for an installation from a registry on a busy machine. */
const installMilliseconds = 900_000

const tarballs = join(root, "dist-packages")

/** All that is on the PATH, besides node, npm and npx. */
const commands = [
  "sh",
  "env",
  "cat",
  "ls",
  "mkdir",
  "mount",
  "umount",
  "fusermount3",
  "uname",
  "sed",
  "dirname",
  "basename",
  "unshare"
]

/** Node of several lines, npm and pnpm, as an npm registry has them. */
export interface Tools {
  readonly folder: string
  /** The directory with the commands of a project, `node` being the newest of a line. */
  readonly pathWith: (node: Line) => Promise<string>
  /** Why a line of Node could not be had; undefined when it is there. */
  readonly missing: (node: Line) => string | undefined
}

/** The lines of Node releases that Bickford runs on: the oldest that its `engines` permit, and each later one. */
export const lines = ["22.19", "24", "26"] as const

/** A line of Node releases. */
export type Line = (typeof lines)[number]

/** Lines that a registry may not have yet. */
const newLines: ReadonlyArray<Line> = ["26"]

/** npm's package of Node's binary for this machine. */
const nodePackage = `node-linux-${process.arch}`

const wrapper = (node: string, script: string) => `#!/bin/sh\nexec "${node}" "${script}" "$@"\n`

/** Which of the new lines the registry does not have, and what it said. */
const findMissing = async (): Promise<ReadonlyMap<Line, string>> => {
  const missing = new Map<Line, string>()
  for (const line of newLines) {
    const { status, stderr, stdout } = await attempt("npm", ["view", `${nodePackage}@${line}`, "version"])
    if (status !== 0 && !/E404|ETARGET/.test(stderr)) throw new Error(stderr)
    if (status !== 0 || stdout.trim() === "") missing.set(line, `npm's registry has no ${nodePackage}@${line}`)
  }
  return missing
}

/** Installs the tools into a fresh folder. */
export const makeTools = async (): Promise<Tools> => {
  const missing = await findMissing()
  const folder = await realpath(await mkdtemp(join(tmpdir(), "bickford-tools-")))
  const nodes = lines.filter((line) => !missing.has(line)).map((line) => `node${line}@npm:${nodePackage}@${line}`)
  await writeFile(join(folder, "package.json"), `{ "private": true }\n`)
  await run(
    "npm",
    ["install", "--ignore-scripts", "--no-audit", "--no-fund", "--loglevel=error", ...nodes, "npm@12", "pnpm@10"],
    { cwd: folder, timeoutMilliseconds: installMilliseconds }
  )
  const modules = join(folder, "node_modules")
  const pathWith = async (line: Line): Promise<string> => {
    const path = join(folder, `path${line}`)
    if (existsSync(path)) return path
    await mkdir(path)
    for (const command of commands) {
      const found = ["/usr/bin", "/bin", "/usr/sbin", "/sbin"]
        .map((place) => join(place, command))
        .find((file) => existsSync(file))
      if (found !== undefined) await symlink(found, join(path, command))
    }
    const node = join(modules, `node${line}`, "bin", "node")
    await chmod(node, 0o755)
    await symlink(node, join(path, "node"))
    const scripts = { npm: "npm/bin/npm-cli.js", npx: "npm/bin/npx-cli.js", pnpm: "pnpm/bin/pnpm.cjs" }
    for (const [name, script] of Object.entries(scripts))
      await writeFile(join(path, name), wrapper(node, join(modules, script)), { mode: 0o755 })
    return path
  }
  return { folder, pathWith, missing: (line) => missing.get(line) }
}

/** A project's folder, and how to run commands in it. */
export interface Project {
  readonly folder: string
  readonly environment: NodeJS.ProcessEnv
  readonly write: (name: string, text: string) => Promise<void>
  readonly run: (command: string, args: ReadonlyArray<string>) => Promise<string>
  readonly attempt: (command: string, args: ReadonlyArray<string>) => Promise<Outcome>
}

/** An empty project, with the commands of `path` only. */
export const makeProject = async (path: string): Promise<Project> => {
  const folder = await realpath(await mkdtemp(join(tmpdir(), "bickford-project-")))
  await writeFile(join(folder, "package.json"), `{ "private": true, "type": "module" }\n`)
  await mkdir(join(folder, "mnt"))
  // How to reach a registry may be in it, as npm_config_* or a proxy; what `npm run` adds of the checkout is not.
  const inherited = Object.entries(process.env).filter(
    ([name]) =>
      !/^(npm_(package|lifecycle|command|execpath|node)|NODE|INIT_CWD|BICKFORD)/.test(name) ||
      name === "NODE_EXTRA_CA_CERTS"
  )
  const environment = { ...Object.fromEntries(inherited), PATH: path, LC_ALL: "C" }
  const onTimeout = () => abort(findMount(join(folder, "mnt")))
  const options = { cwd: folder, env: environment, onTimeout, timeoutMilliseconds: installMilliseconds }
  return {
    folder,
    environment,
    write: (name, text) => writeFile(join(folder, name), text),
    run: (command, args) => run(command, args, options),
    attempt: (command, args) => attempt(command, args, options)
  }
}

/** Takes the project away, and its mount if it is left. */
export const removeProject = async ({ folder }: Project): Promise<void> => {
  const mountpoint = join(folder, "mnt")
  while (findMount(mountpoint) !== undefined) await run("umount", ["-l", mountpoint])
  await rm(folder, { recursive: true, force: true })
}

/** The paths of `npm run package`'s tarballs, by package. */
export const packed = async (): Promise<ReadonlyMap<string, string>> => {
  const files = await readdir(tarballs).catch(() => [])
  const found = new Map<string, string>()
  for (const file of files.filter((name) => name.endsWith(".tgz"))) {
    const manifest: unknown = JSON.parse(await run("tar", ["-xzOf", join(tarballs, file), "package/package.json"]))
    if (typeof manifest === "object" && manifest !== null && "name" in manifest)
      found.set(String(manifest.name), join(tarballs, file))
  }
  if (!found.has("bickford")) throw new Error("there are no tarballs: npm run package")
  return found
}

/** The program in a package's README. */
export const readmeProgram = async (folder: string): Promise<string> => {
  const [, program] =
    /```ts\n([\s\S]*?)```/.exec(await readFile(join(root, "packages", folder, "README.md"), "utf8")) ?? []
  if (program === undefined) throw new Error(`packages/${folder}/README.md has no program`)
  return program
}
