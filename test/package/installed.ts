/**
 * What `npm run package` made works where it is installed: no compiler, no python, no checkout.
 * `npm run package && npm run test:packages`
 */
import assert from "node:assert/strict"
import { type ChildProcess, spawn } from "node:child_process"
import { mkdtemp, readFile, rm, writeFile } from "node:fs/promises"
import { tmpdir } from "node:os"
import { basename, join } from "node:path"
import { after, before, describe, it } from "node:test"
import { setTimeout } from "node:timers/promises"
import { findMount } from "@bickford/transport"
import { root } from "../mount/bickford.ts"
import { ended, run } from "../mount/processes.ts"
import {
  type Line,
  lines,
  makeProject,
  makeTools,
  packed,
  type Project,
  readmeProgram,
  removeProject,
  type Tools
} from "./project.ts"

const readManifest = (text: string): { readonly dependencies: { readonly effect: string } } => JSON.parse(text)

/** The packages whose READMEs have a program that runs to its end. */
const withProgram = ["protocol", "supervisor", "session", "transport", "backends", "faces", "dashboard"]

const tarballs: ReadonlyMap<string, string> = await packed()
// The suites' titles say which Node they are on, so that this is known before they are described.
const tools: Tools = await makeTools()

after(() => rm(tools.folder, { recursive: true, force: true }))

/** Waits until a program that says nothing has mounted at `mnt`, or has ended. */
const untilMounted = async (project: Project, server: ChildProcess): Promise<void> => {
  while (findMount(join(project.folder, "mnt")) === undefined && server.exitCode === null) await setTimeout(50)
}

/** A program that mounts at `mnt`, from when it says `ready`, or has mounted, until it is told to unmount. */
const whileServing = async (
  project: Project,
  command: string,
  args: ReadonlyArray<string>,
  ready: string | undefined,
  body: () => Promise<void>
): Promise<void> => {
  const server = spawn(command, args, {
    cwd: project.folder,
    env: project.environment,
    stdio: ["ignore", "pipe", "pipe"],
    detached: true
  })
  let said = ""
  const status = ended(server)
  try {
    await new Promise<void>((resolve, reject) => {
      const hear = (text: string) => {
        said += text
        if (ready !== undefined && said.includes(ready)) resolve()
      }
      server.stdout.setEncoding("utf8").on("data", hear)
      server.stderr.setEncoding("utf8").on("data", hear)
      void status.then(() => reject(new Error(`the server ended: ${said}`)))
      if (ready === undefined) void untilMounted(project, server).then(resolve, reject)
    })
    await body()
    await project.run("npx", ["bickford", "unmount", "mnt"])
    assert.equal((await status).status, 0, said)
  } finally {
    // The whole group: npx has the program as its child.
    if (server.exitCode === null && server.signalCode === null && server.pid !== undefined)
      process.kill(-server.pid, "SIGKILL")
  }
}

const runsPrograms = (project: () => Project): void => {
  it("runs as an ES module, and the README's programs", async () => {
    await project().write(
      "esm.js",
      `import { memory, mount } from "bickford"\nconsole.log(typeof memory, typeof mount)\n`
    )
    assert.equal(await project().run("node", ["esm.js"]), "function function\n")
    for (const folder of withProgram) {
      await project().write(`${folder}.ts`, await readmeProgram(folder))
      await project().run("node", ["--disable-warning=ExperimentalWarning", `${folder}.ts`])
    }
  })

  it("is taken by require of a CommonJS program", async () => {
    await project().write(
      "common.cjs",
      `const { memory } = require("bickford")
const { FakeKernel } = require("@bickford/session/testing")
const { fromFs } = require("@bickford/faces")
const { pageFile } = require("@bickford/dashboard")
const Fuse = require("@bickford/fuse-native")
console.log(typeof memory, typeof FakeKernel.serve, typeof fromFs, typeof pageFile, typeof Fuse.unmount)
`
    )
    assert.equal(
      await project().run("node", ["--disable-warning=ExperimentalWarning", "common.cjs"]),
      "function function function function function\n"
    )
  })

  it("mounts by fuse-native's interface, from an ES module and from CommonJS", async () => {
    const program = await readmeProgram("fuse-native")
    await project().write("fuse.ts", program)
    await project().write("fuse.cjs", program.replace(/^import Fuse from (".*")/, "const Fuse = require($1)"))
    for (const name of ["fuse.ts", "fuse.cjs"])
      await whileServing(project(), "node", [name], undefined, async () => {
        assert.equal(await project().run("cat", ["mnt/hello"]), "hello\n", name)
      })
  })

  it("serves the backend of the faces' README", async () => {
    // It shows /tmp.
    const shown = await mkdtemp("/tmp/bickford-shown-")
    try {
      await writeFile(join(shown, "file"), "text\n")
      const args = ["bickford", "mount", "module:faces.ts", "mnt"]
      await whileServing(project(), "npx", args, " is mounted at ", async () => {
        assert.equal(await project().run("cat", [join("mnt", basename(shown), "file")]), "text\n")
      })
    } finally {
      await rm(shown, { recursive: true })
    }
  })

  it("does not load sources under the condition `development`", async () => {
    await project().run("node", ["--conditions=development", "esm.js"])
  })

  it("tests a filesystem where there is no /dev/fuse", async () => {
    const script = `mount --bind /dev/null /dev/fuse && exec node --disable-warning=ExperimentalWarning session.ts`
    assert.equal(await project().run("unshare", ["--mount", "sh", "-c", script]), "ENOENT\n")
  })

  it("mounts by npx bickford", () =>
    whileServing(project(), "npx", ["bickford", "mount", "memory:", "mnt"], " is mounted at ", async () => {
      await project().run("sh", ["-c", "echo text > mnt/file"])
      assert.equal(await project().run("cat", ["mnt/file"]), "text\n")
    }))

  it("mounts by the README's program", async () => {
    await project().write("program.ts", await readmeProgram("bickford"))
    await whileServing(project(), "node", ["program.ts", "mnt"], "serving", async () => {
      assert.equal(await project().run("cat", ["mnt/hello"]), "hello\n")
    })
  })

  it("serves a module that lies outside every project", async () => {
    const outside = await mkdtemp(join(tmpdir(), "bickford-outside-"))
    try {
      const module = join(outside, "own.ts")
      await writeFile(
        module,
        `import { memory, type MemoryOptions } from "bickford"\nconst options: MemoryOptions = {}\nexport const backend = memory(options)\n`
      )
      await whileServing(
        project(),
        "npx",
        ["bickford", "mount", `module:${module}`, "mnt"],
        " is mounted at ",
        async () => {
          await project().run("sh", ["-c", "echo text > mnt/file"])
          assert.equal(await project().run("cat", ["mnt/file"]), "text\n")
        }
      )
    } finally {
      await rm(outside, { recursive: true })
    }
  })

  it("mounts from a worker thread", async () => {
    await project().write("backend.js", `import { memory } from "bickford"\nexport const backend = memory()\n`)
    await project().write(
      "worker.js",
      `
import { mountWorker } from "bickford"
import * as Effect from "effect/Effect"
import { readFileSync, writeFileSync } from "node:fs"

await Effect.runPromise(Effect.scoped(Effect.gen(function*() {
  yield* mountWorker(new URL("backend.js", import.meta.url).href, { mountpoint: "mnt" })
  writeFileSync("mnt/file", "text")
  console.log(readFileSync("mnt/file", "utf8"))
})))
`
    )
    assert.equal(await project().run("node", ["worker.js"]), "text\n")
  })
}

const installedByNpm = (line: Line): void => {
  const missing = tools.missing(line)
  if (missing !== undefined) process.stderr.write(`NOT RUN on Node ${line}: ${missing}\n`)
  describe(`installed by npm, on Node ${line}`, { skip: missing ?? false, concurrency: 1 }, () => {
    let made: Project
    before(async () => {
      made = await makeProject(await tools.pathWith(line))
      await made.run("npm", ["install", "--no-audit", "--no-fund", ...tarballs.values()])
    })
    after(() => removeProject(made))

    it("is that Node", async () => {
      assert.match(await made.run("node", ["--version"]), new RegExp(`^v${line}\\.`))
    })

    runsPrograms(() => made)
  })
}

const installedByPnpm = (): void => {
  describe("installed by pnpm", { concurrency: 1 }, () => {
    let made: Project
    before(async () => {
      made = await makeProject(await tools.pathWith("24"))
      const overrides = [...tarballs].map(([name, file]) => `  "${name}": "file:${file}"\n`).join("")
      await made.write("pnpm-workspace.yaml", `overrides:\n${overrides}`)
      // pnpm hides what is only a dependency's dependency: a program that imports effect installs it.
      const { effect } = readManifest(
        await readFile(join(root, "packages", "session", "package.json"), "utf8")
      ).dependencies
      await made.run("pnpm", ["add", `effect@${effect}`, ...[...tarballs.values()].map((file) => `file:${file}`)])
    })
    after(() => removeProject(made))
    runsPrograms(() => made)
  })
}

const compilerOptions = {
  target: "ES2024",
  lib: ["ES2024", "ESNext.Disposable", "DOM"],
  types: ["node"],
  strict: true,
  exactOptionalPropertyTypes: true,
  noEmit: true,
  skipLibCheck: false
}

/** The ways in which TypeScript finds packages, and whether a CommonJS file's `require` is typed. */
const ways = [
  { module: "node16", moduleResolution: "node16", common: false },
  { module: "node20", moduleResolution: "node16", common: true },
  { module: "nodenext", moduleResolution: "nodenext", common: true },
  { module: "esnext", moduleResolution: "bundler", common: false }
]

const typedStrictly = (): void => {
  describe("TypeScript, strict, with declarations checked", { concurrency: 1 }, () => {
    let made: Project
    before(async () => {
      made = await makeProject(await tools.pathWith("24"))
      const versions = ["typescript@~7.0.2", "@types/node@^24"]
      await made.run("npm", ["install", "--no-audit", "--no-fund", ...tarballs.values(), ...versions])
      for (const folder of ["bickford", "fuse-native", ...withProgram])
        await made.write(`${folder}.ts`, await readmeProgram(folder))
      await made.write(
        "common.cts",
        `import Fuse = require("@bickford/fuse-native")
import bickford = require("bickford")
export const fuse = new Fuse("mnt", { readdir: (_path, cb) => cb(0, ["hello"]) })
export const backend = bickford.memory()
`
      )
    })
    after(() => removeProject(made))

    for (const { common, ...way } of ways) {
      it(`resolves as ${way.module} with ${way.moduleResolution}`, async () => {
        const include = common ? ["*.ts", "*.cts"] : ["*.ts"]
        await made.write("tsconfig.json", JSON.stringify({ compilerOptions: { ...compilerOptions, ...way }, include }))
        await made.run("npx", ["tsc"])
      })
    }
  })
}

/** npm's and compilers' processes take what processors there are: more at once end no sooner, and take more memory. */
const suitesAtOnce = 3

describe("installed where there is no compiler", { concurrency: suitesAtOnce }, () => {
  for (const line of lines) installedByNpm(line)
  installedByPnpm()
  typedStrictly()
})

describe("what is in the tarballs", () => {
  it("is a build, its sources, a licence and a README: no tests, no path of this machine", async () => {
    for (const [name, file] of tarballs) {
      const names = (await run("tar", ["-tzf", file]))
        .trim()
        .split("\n")
        .map((path) => path.slice("package/".length))
      for (const needed of ["LICENSE", "README.md", "dist/index.js", "dist/index.d.ts", "src/index.ts"])
        assert.ok(names.includes(needed), `${name}: ${needed}`)
      const wrong = names.filter(
        (path) =>
          !/^(LICENSE|README\.md|package\.json|bin\/|dist\/|src\/|prebuilds\/|native\/(binding\.gyp|src\/))/.test(
            path
          ) || /\.test\.|(^|\/)test\//.test(path)
      )
      assert.deepEqual(wrong, [], name)
      const text = await run("sh", ["-c", `tar -xzOf "$1" | grep -acF "$2" || true`, "sh", file, `${root}/`])
      assert.equal(text.trim(), "0", `${name} holds the path of the checkout`)
    }
  })
})
