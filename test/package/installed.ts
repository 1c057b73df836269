/**
 * What `npm run package` made works where it is installed: no compiler, no python, no checkout.
 * `npm run package && npm run test:packages`
 */
import assert from "node:assert/strict"
import { spawn } from "node:child_process"
import { mkdtemp, readFile, rm, writeFile } from "node:fs/promises"
import { tmpdir } from "node:os"
import { join } from "node:path"
import { after, before, describe, it } from "node:test"
import { root } from "../mount/bickford.ts"
import { ended, run } from "../mount/processes.ts"
import {
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

let tools: Tools
let tarballs: ReadonlyMap<string, string>

before(async () => {
  tarballs = await packed()
  tools = await makeTools()
})

after(() => rm(tools.folder, { recursive: true, force: true }))

/** A program that mounts at `mnt`, from when it says `ready` until it is told to unmount. */
const whileServing = async (
  project: Project,
  command: string,
  args: ReadonlyArray<string>,
  ready: string,
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
        if (said.includes(ready)) resolve()
      }
      server.stdout.setEncoding("utf8").on("data", hear)
      server.stderr.setEncoding("utf8").on("data", hear)
      void status.then(() => reject(new Error(`the server ended: ${said}`)))
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
    for (const folder of ["protocol", "supervisor", "session", "transport", "backends"]) {
      await project().write(`${folder}.ts`, await readmeProgram(folder))
      await project().run("node", ["--disable-warning=ExperimentalWarning", `${folder}.ts`])
    }
  })

  it("is taken by require of a CommonJS program", async () => {
    await project().write(
      "common.cjs",
      `const { memory } = require("bickford")\nconst { FakeKernel } = require("@bickford/session/testing")\nconsole.log(typeof memory, typeof FakeKernel.serve)\n`
    )
    assert.equal(
      await project().run("node", ["--disable-warning=ExperimentalWarning", "common.cjs"]),
      "function function\n"
    )
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

for (const line of lines) {
  describe(`installed by npm, on Node ${line}`, () => {
    let made: Project
    before(async () => {
      made = await makeProject(await tools.pathWith(line))
      await made.run("npm", ["install", "--no-audit", "--no-fund", ...tarballs.values()])
    })
    after(() => removeProject(made))
    runsPrograms(() => made)
  })
}

describe("installed by pnpm", () => {
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

describe("TypeScript, strict, with declarations checked", () => {
  let made: Project
  before(async () => {
    made = await makeProject(await tools.pathWith("24"))
    const versions = ["typescript@~7.0.2", "@types/node@^24"]
    await made.run("npm", ["install", "--no-audit", "--no-fund", ...tarballs.values(), ...versions])
    await made.write("program.ts", await readmeProgram("bickford"))
    for (const folder of ["protocol", "supervisor", "transport", "session", "backends"])
      await made.write(`${folder}.ts`, await readmeProgram(folder))
  })
  after(() => removeProject(made))

  const options = {
    target: "ES2024",
    lib: ["ES2024", "ESNext.Disposable", "DOM"],
    types: ["node"],
    strict: true,
    exactOptionalPropertyTypes: true,
    noEmit: true,
    skipLibCheck: false
  }
  const ways = [
    { module: "node16", moduleResolution: "node16" },
    { module: "node20", moduleResolution: "node16" },
    { module: "nodenext", moduleResolution: "nodenext" },
    { module: "esnext", moduleResolution: "bundler" }
  ]
  for (const way of ways) {
    it(`resolves as ${way.module} with ${way.moduleResolution}`, async () => {
      await made.write("tsconfig.json", JSON.stringify({ compilerOptions: { ...options, ...way }, include: ["*.ts"] }))
      await made.run("npx", ["tsc"])
    })
  }
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
