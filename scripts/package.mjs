/**
 * `npm run package -- [TARGET ...]`: makes every tarball that is published, into dist-packages/.
 *
 * Each package is staged apart from the checkout: without the `development` condition, which is for the checkout's own
 * sources, with the build of exactly the sources that are there, and the addon for each platform (or for TARGETs only).
 */
import { spawnSync } from "node:child_process"
import { cpSync, existsSync, mkdirSync, readdirSync, readFileSync, rmSync, writeFileSync } from "node:fs"
import { join, relative } from "node:path"
import { fail, install, node, root, say } from "./bootstrap.mjs"
import { prebuild, targets } from "./prebuild.mjs"

const output = join(root, "dist-packages")
const readJson = (file) => JSON.parse(readFileSync(file, "utf8"))
const rootManifest = readJson(join(root, "package.json"))

const run = (what, command, args) => {
  const { error, status, stderr, stdout } = spawnSync(command, args, {
    cwd: root,
    encoding: "utf8",
    maxBuffer: 1 << 26
  })
  if (status !== 0)
    fail(`${stdout ?? ""}${stderr ?? ""}${what} failed${error === undefined ? "" : `: ${error.message}`}.`)
  return stdout
}

/** Where the sources are: as package.json says, else where this clone comes from, if others can reach that. */
const repositoryUrl = () => {
  if (rootManifest.repository !== undefined) return rootManifest.repository.url ?? rootManifest.repository
  const origin =
    spawnSync("git", ["-C", root, "remote", "get-url", "origin"], { encoding: "utf8" }).stdout?.trim() ?? ""
  return /^(https|ssh|git):\/\/[^/@]+\//.test(origin) ? origin : undefined
}

const withoutDevelopment = (exports) =>
  typeof exports !== "object"
    ? exports
    : Object.fromEntries(
        Object.entries(exports)
          .filter(([key]) => key !== "development")
          .map(([key, value]) => [key, withoutDevelopment(value)])
      )

/** What npm is to know of the package; `exports` without what only a checkout has. */
const publishedManifest = (folder, repository) => {
  const manifest = readJson(join(root, folder, "package.json"))
  const { devDependencies: _, scripts: __, ...rest } = manifest
  return {
    ...rest,
    keywords: rootManifest.keywords,
    ...(repository === undefined ? {} : { repository: { type: "git", url: repository, directory: folder } }),
    exports: { ...withoutDevelopment(manifest.exports), "./package.json": "./package.json" }
  }
}

/** The build of the sources that are there: `dist` may hold what older sources left. */
const copyBuild = (from, to) => {
  const sources = join(from, "src")
  for (const entry of readdirSync(sources, { recursive: true, withFileTypes: true })) {
    if (!entry.isFile() || !entry.name.endsWith(".ts")) continue
    const name = relative(sources, join(entry.parentPath, entry.name)).slice(0, -".ts".length)
    for (const extension of [".js", ".js.map", ".d.ts", ".d.ts.map"])
      cpSync(join(from, "dist", name + extension), join(to, "dist", name + extension))
  }
}

const copyAddon = (to, wanted) => {
  for (const target of wanted)
    cpSync(join(root, "packages", "transport", "prebuilds", `${target}.node`), join(to, "prebuilds", `${target}.node`))
  for (const name of ["binding.gyp", "src"])
    cpSync(join(root, "native", name), join(to, "native", name), { recursive: true })
}

const stage = (folder, wanted, repository) => {
  const from = join(root, folder)
  const to = join(output, "staged", folder.split("/").at(-1))
  mkdirSync(to, { recursive: true })
  const manifest = publishedManifest(folder, repository)
  writeFileSync(join(to, "package.json"), `${JSON.stringify(manifest, undefined, 2)}\n`)
  cpSync(join(root, "LICENSE"), join(to, "LICENSE"))
  cpSync(join(from, "README.md"), join(to, "README.md"))
  for (const name of ["src", "bin"])
    if (existsSync(join(from, name))) cpSync(join(from, name), join(to, name), { recursive: true })
  copyBuild(from, to)
  if (manifest.files.includes("prebuilds")) copyAddon(to, wanted)
  return to
}

const pack = (staged) => {
  const [made] = JSON.parse(
    run("npm pack", "npm", [
      "pack",
      staged,
      `--pack-destination=${output}`,
      "--json",
      "--ignore-scripts",
      "--loglevel=error"
    ])
  )
  run(`publint ${made.name}`, node, [
    join(root, "node_modules", "publint", "src", "cli.js"),
    join(output, made.filename),
    "--strict"
  ])
  say(
    `${relative(root, join(output, made.filename))}: ${made.files.length} files, ${Math.ceil(made.size / 1000)} kB, unpacked ${Math.ceil(made.unpackedSize / 1000)} kB`
  )
}

const wanted = process.argv.length > 2 ? process.argv.slice(2) : Object.keys(targets)
install()
await prebuild(wanted)
run("The build", node, [join(root, "node_modules", "typescript", "bin", "tsc"), "-b"])
rmSync(join(output, "staged"), { recursive: true, force: true })
for (const file of existsSync(output) ? readdirSync(output) : []) if (file.endsWith(".tgz")) rmSync(join(output, file))
const repository = repositoryUrl()
if (repository === undefined)
  say(
    "package.json names no repository, and this clone's origin is none that others can reach: the packages name none."
  )
for (const folder of rootManifest.workspaces.filter((name) => name.startsWith("packages/")))
  pack(stage(folder, wanted, repository))
rmSync(join(output, "staged"), { recursive: true })
