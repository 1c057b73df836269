/** What the programs of the kill test work with, made once: a repository, an archive, a package with its dependencies. */
import { mkdir, writeFile } from "node:fs/promises"
import { join } from "node:path"
import { run } from "../mount/processes.ts"

export interface Material {
  readonly repository: string
  readonly commits: number
  readonly archive: string
  /** What the archive holds, unpacked. */
  readonly tree: string
  /** A package.json, its lock file, and the tarballs of its dependencies. */
  readonly project: string
  /** What `npm ci` makes of it. */
  readonly installed: string
  readonly npmCache: string
}

export interface Sizes {
  readonly commits: number
  readonly files: number
  readonly packages: number
}

/** Of `number`: bytes that differ from file to file. */
const content = (number: number): string => `${number}: ${"lorem ipsum ".repeat((number * 7919) % 60)}\n`

const makeRepository = async (folder: string, commits: number): Promise<void> => {
  let stream = ""
  for (let commit = 0; commit < commits; commit++) {
    stream += `commit refs/heads/main\ncommitter A <a@example.com> ${1_700_000_000 + commit * 60} +0000\ndata 7\nchange\n\n`
    for (let i = 0; i < 3; i++) {
      const file = (commit * 3 + i) % 300
      const text = content(commit * 3 + i)
      stream += `M 100644 inline folder${file % 20}/file${file}.txt\ndata ${Buffer.byteLength(text)}\n${text}\n`
    }
  }
  await mkdir(folder)
  const commands = join(folder, "..", "fast-import")
  await writeFile(commands, stream)
  await run("sh", [
    "-c",
    'git init -q --bare -b main "$1" && git -C "$1" fast-import --quiet <"$2"',
    "sh",
    folder,
    commands
  ])
}

const makeTree = async (tree: string, files: number): Promise<void> => {
  const perFolder = 100
  for (let first = 0; first < files; first += perFolder) {
    const folder = join(tree, `folder${first / perFolder}`)
    await mkdir(folder, { recursive: true })
    for (let i = first; i < Math.min(first + perFolder, files); i++)
      await writeFile(join(folder, `file${i}`), content(i))
  }
}

/** A package in `project` whose dependencies lie beside it, 20 files in each. */
export const makeProject = async (project: string, packages: number, cache: string): Promise<void> => {
  const dependencies: Record<string, string> = {}
  for (let i = 0; i < packages; i++) {
    const folder = join(project, "made", `${i}`, "package")
    await mkdir(join(folder, "lib"), { recursive: true })
    await writeFile(
      join(folder, "package.json"),
      JSON.stringify({ name: `dependency-${i}`, version: "1.0.0", main: "lib/0.js" })
    )
    for (let file = 0; file < 20; file++)
      await writeFile(join(folder, "lib", `${file}.js`), `module.exports = ${JSON.stringify(content(i * 20 + file))}\n`)
    await run("tar", ["czf", join(project, `dependency-${i}.tgz`), "-C", join(folder, ".."), "package"])
    dependencies[`dependency-${i}`] = `file:dependency-${i}.tgz`
  }
  await run("rm", ["-r", join(project, "made")])
  await writeFile(join(project, "package.json"), JSON.stringify({ name: "project", version: "1.0.0", dependencies }))
  await run("npm", ["install", "--package-lock-only", "--offline", "--no-audit", "--no-fund", "--cache", cache], {
    cwd: project
  })
}

export const npmCi = (cache: string): ReadonlyArray<string> => [
  "ci",
  "--offline",
  "--no-audit",
  "--no-fund",
  "--cache",
  cache
]

export const makeMaterial = async (folder: string, sizes: Sizes): Promise<Material> => {
  const material: Material = {
    repository: join(folder, "repository"),
    commits: sizes.commits,
    archive: join(folder, "tree.tar"),
    tree: join(folder, "tree"),
    project: join(folder, "project"),
    installed: join(folder, "installed"),
    npmCache: join(folder, "npm-cache")
  }
  await makeRepository(material.repository, sizes.commits)
  await makeTree(material.tree, sizes.files)
  await run("tar", ["cf", material.archive, "-C", folder, "tree"])
  await mkdir(material.project)
  await makeProject(material.project, sizes.packages, material.npmCache)
  await run("cp", ["-r", material.project, material.installed])
  await run("npm", npmCi(material.npmCache), { cwd: material.installed, timeoutMilliseconds: 300_000 })
  return material
}
