/**
 * `npm run executable`: makes dist-packages/bickford-linux-ARCH, the command `bickford`, its daemon, workers and native addon in one
 * file, for machines without Node. It is Node's own binary with the bundled program in a section of it (Node's "single
 * executable applications"), so it needs what that needs: glibc 2.28 and libstdc++.
 */
import { spawnSync } from "node:child_process"
import {
  chmodSync,
  copyFileSync,
  existsSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  rmSync,
  statSync,
  writeFileSync
} from "node:fs"
import { stripTypeScriptTypes } from "node:module"
import { join, relative } from "node:path"
import { pathToFileURL } from "node:url"
import { fail, install, node, root, say } from "./bootstrap.mjs"
import { prebuild } from "./prebuild.mjs"

const output = join(root, "dist-packages")
const place = join(output, "executable")
const tools = join(root, "tools", "executable")
const packages = join(root, "packages")
const readJson = (file) => JSON.parse(readFileSync(file, "utf8"))

const target = `linux-${process.arch}`
const executable = join(output, `bickford-${target}`)

/** What Node is called with. SIGUSR1 would open its inspector to everybody on the machine. */
const nodeOptions = ["--disable-sigusr1", "--disable-warning=ExperimentalWarning"]

/** The modules that find files beside them, or start Node, and what stands in their place. */
const replaced = new Map(
  Object.entries({
    "backends/src/passthrough/isolateModule.ts": "isolateModule.ts",
    "bickford/src/promise/commandProgram.ts": "commandProgram.ts",
    "bickford/src/version.ts": "version.ts",
    "daemon/src/ownProgram.ts": "ownProgram.ts",
    "daemon/src/sources/ownPackages.ts": "ownPackages.ts",
    "dashboard/src/pageModules.ts": "pageModules.ts",
    "session/src/importModule.ts": "importModule.ts",
    "session/src/isolates/startIsolateThread.ts": "startIsolateThread.ts",
    "session/src/worker/startThread.ts": "startThread.ts",
    "transport/src/loadAddon.ts": "loadAddon.ts"
  }).map(([original, own]) => [join(packages, original), join(tools, "src", own)])
)

const run = (what, command, args, options = {}) => {
  const { error, status, stderr, stdout } = spawnSync(command, args, { cwd: root, encoding: "utf8", ...options })
  if (status !== 0)
    fail(`${stdout ?? ""}${stderr ?? ""}${what} failed${error === undefined ? "" : `: ${error.message}`}.`)
  return stdout
}

const installTools = () => {
  if (existsSync(join(tools, "node_modules", ".package-lock.json"))) return
  const args = ["ci", "--ignore-scripts", "--no-audit", "--no-fund", "--loglevel=error", "--no-workspaces"]
  run("npm ci in tools/executable", "npm", args, { cwd: tools })
}

/** Every module of `bickford` that can be imported, those of `effect` that are not of one field's, by their names. */
const importable = () => {
  const own = readdirSync(packages)
    .filter((name) => name !== "fuse-native")
    .flatMap((name) => {
      const { exports, name: packageName } = readJson(join(packages, name, "package.json"))
      return Object.keys(exports).map((path) => packageName + path.slice(1))
    })
    .filter((name) => !name.startsWith("@bickford/daemon"))
  const effect = readdirSync(join(root, "node_modules", "effect", "dist"))
    .filter((file) => /^[A-Z]\w*\.js$/.test(file))
    .map((file) => `effect/${file.slice(0, -".js".length)}`)
  return [...own, "effect", ...effect]
}

/** The browser's modules by their names, without types: as text, since they are no part of the program. */
const pageTexts = () => {
  const folder = join(packages, "dashboard", "src", "page")
  return Object.fromEntries(
    readdirSync(folder).map((file) => [
      file.slice(0, -".ts".length),
      stripTypeScriptTypes(readFileSync(join(folder, file), "utf8"))
    ])
  )
}

/** Puts the modules in the places of those that they replace, and writes `modules.ts` and `pageTexts.ts`. */
const replacing = {
  name: "replacing",
  setup: (build) => {
    const met = new Set()
    build.onResolve({ filter: /\/modules\.js$/ }, () => ({ path: "modules", namespace: "made" }))
    build.onResolve({ filter: /\/pageTexts\.js$/ }, () => ({ path: "pageTexts", namespace: "made" }))
    build.onLoad({ filter: /^pageTexts$/, namespace: "made" }, () => ({
      contents: `export const pageTexts = ${JSON.stringify(pageTexts())}`
    }))
    build.onLoad({ filter: /^modules$/, namespace: "made" }, () => ({
      contents: `export const modules = {${importable()
        .map((name) => `${JSON.stringify(name)}: () => require(${JSON.stringify(name)})`)
        .join(",")}}`,
      resolveDir: root
    }))
    build.onLoad({ filter: /\.ts$/ }, ({ path }) => {
      const own = replaced.get(path)
      if (own === undefined) return undefined
      met.add(path)
      return { contents: readFileSync(own, "utf8"), loader: "ts", resolveDir: join(tools, "src") }
    })
    build.onEnd(() => {
      const missed = [...replaced.keys()].filter((path) => !met.has(path))
      if (missed.length > 0) fail(`The program does not hold ${missed.join(", ")}.`)
    })
  }
}

/** The whole program as one function of `require`, which gives its exports. */
const bundle = async () => {
  const esbuild = await import(pathToFileURL(join(tools, "node_modules", "esbuild", "lib", "main.js")).href)
  return esbuild.build({
    metafile: true,
    entryPoints: [join(tools, "src", "main.ts")],
    outfile: join(place, "program.js"),
    absWorkingDir: root,
    bundle: true,
    platform: "node",
    target: "node24",
    format: "cjs",
    conditions: ["development"],
    minifyWhitespace: true,
    minifySyntax: true,
    legalComments: "none",
    banner: { js: "(function(require){var module={exports:{}};" },
    footer: { js: "return module.exports})" },
    // Nothing is beside the executable: what asks for its own place has to be replaced.
    // Vite's, which Effect looks for.
    define: { "import.meta.env": "undefined" },
    logOverride: { "empty-import-meta": "error" },
    logLevel: "error",
    plugins: [replacing]
  })
}

/** The licences of Bickford, of Node, and of every package that is in the program. */
const licences = ({ inputs }) => {
  const found = Object.keys(inputs).flatMap(
    (file) => /^(.*node_modules\/(?:@[^/]+\/)?[^/]+)\//.exec(file)?.slice(1) ?? []
  )
  const parts = [...new Set(found)].sort().map((folder) => {
    const { license, name, version } = readJson(join(root, folder, "package.json"))
    const file = readdirSync(join(root, folder)).find((entry) => /^licen[cs]e/i.test(entry))
    const text = file === undefined ? license : readFileSync(join(root, folder, file), "utf8")
    return `${name} ${version}\n\n${text}`
  })
  const nodeLicence = join(root, "node_modules", "node", "node_modules", `node-${target}`, "LICENSE")
  return [`Bickford\n\n${readFileSync(join(root, "LICENSE"), "utf8")}`, ...parts, readFileSync(nodeLicence, "utf8")]
    .map((text) => text.trim())
    .join(`\n\n${"-".repeat(72)}\n\n`)
}

/** Node's preparation of what is put into its binary. */
const makeBlob = (addon) => {
  const config = join(place, "sea-config.json")
  writeFileSync(
    config,
    JSON.stringify({
      main: join(tools, "boot.cjs"),
      output: join(place, "blob"),
      disableExperimentalSEAWarning: true,
      execArgv: nodeOptions,
      // NODE_OPTIONS is not for this program; its own workers get theirs by --node-options.
      execArgvExtension: "cli",
      assets: {
        "boot.cjs": join(tools, "boot.cjs"),
        "program.js": join(place, "program.js"),
        "program.cache": join(place, "program.cache"),
        "bickford.node": addon
      }
    })
  )
  run("Node's preparation of the blob", node, ["--experimental-sea-config", config])
}

install()
installTools()
await prebuild([`${target}-glibc`])
const addon = join(packages, "transport", "prebuilds", `${target}-glibc.node`)
rmSync(place, { recursive: true, force: true })
mkdirSync(place, { recursive: true })
const { metafile } = await bundle()
const cacheArguments = [join(tools, "writeCache.cjs"), join(place, "program.js"), join(place, "program.cache")]
run("The compilation of the program", node, [...nodeOptions, ...cacheArguments], {
  env: { ...process.env, BICKFORD_ADDON: addon }
})
makeBlob(addon)
const partial = join(place, "bickford")
copyFileSync(join(root, "node_modules", "node", "bin", "node"), partial)
chmodSync(partial, 0o755)
// Debian's policy, and 20 MB.
run("strip", "strip", ["--strip-unneeded", "--remove-section=.comment", partial])
run("postject", node, [
  join(tools, "node_modules", "postject", "dist", "cli.js"),
  partial,
  "NODE_SEA_BLOB",
  join(place, "blob"),
  "--sentinel-fuse",
  "NODE_SEA_FUSE_fce680ab2cc467b6e072b8b5df1996b2"
])
run("The executable", partial, ["--version"], { cwd: "/" })
rmSync(executable, { force: true })
copyFileSync(partial, executable)
writeFileSync(`${executable}.LICENSES`, `${licences(metafile)}\n`)
rmSync(place, { recursive: true })
say(`${relative(root, executable)}: ${(statSync(executable).size / 1e6).toFixed(1)} MB`)
