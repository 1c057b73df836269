/** Real programs at work on what Node has as filesystems: git, npm and a TypeScript build, each on a live mount. */
import { assert, describe, it } from "@effect/vitest"
import { fromFs, fromJustBash, fromVfs } from "@bickford/faces"
import { MemoryProvider } from "@platformatic/vfs"
import type { Backend } from "@bickford/session"
import * as Effect from "effect/Effect"
import { InMemoryFs } from "just-bash"
import { Volume } from "memfs"
import { mkdir, mkdtemp, rm, writeFile } from "node:fs/promises"
import { tmpdir } from "node:os"
import { join } from "node:path"
import { root } from "../mount/bickford.ts"
import { serve } from "../mount/inProcess.ts"
import { run } from "../mount/processes.ts"

const faces: { readonly [name: string]: () => Backend } = {
  memfs: () => fromFs(Volume.fromJSON({}, "/").promises),
  "@platformatic/vfs in memory": () => fromVfs(new MemoryProvider(), { calls: "sync" }),
  "just-bash in memory": () => fromJustBash(new InMemoryFs())
}

const gitEnvironment = {
  ...process.env,
  GIT_CONFIG_GLOBAL: "/dev/null",
  GIT_CONFIG_SYSTEM: "/dev/null",
  GIT_AUTHOR_NAME: "A",
  GIT_AUTHOR_EMAIL: "a@example.org",
  GIT_COMMITTER_NAME: "A",
  GIT_COMMITTER_EMAIL: "a@example.org"
}

const temporaryFolder = Effect.acquireRelease(
  Effect.promise(() => mkdtemp(join(tmpdir(), "bickford-faces-"))),
  (folder) => Effect.promise(() => rm(folder, { recursive: true, force: true }))
)

const program = `export const greet = (name: string): string => \`hello, \${name}\`\n`
const main = `import { greet } from "./greet.js"\nimport { twice } from "twice"\nconsole.log(twice(greet("mount")))\n`

/** A repository with a TypeScript program that needs a package, which lies beside it as a tarball with its lockfile. */
const makeProject = async (folder: string): Promise<void> => {
  const dependency = join(folder, "dependency")
  await mkdir(dependency)
  await writeFile(
    join(dependency, "package.json"),
    JSON.stringify({ name: "twice", version: "1.0.0", type: "module", main: "index.js", bin: "./bin.js" })
  )
  await writeFile(join(dependency, "index.js"), "export const twice = (text) => `${text} ${text}`\n")
  await writeFile(join(dependency, "index.d.ts"), "export declare const twice: (text: string) => string\n")
  await writeFile(join(dependency, "bin.js"), "#!/usr/bin/env node\nconsole.log('a program')\n")
  const project = join(folder, "project")
  await mkdir(join(project, "src"), { recursive: true })
  const packed = await run("npm", ["pack", "--silent", "--pack-destination", project], { cwd: dependency })
  assert.strictEqual(packed.trim(), "twice-1.0.0.tgz")
  await writeFile(
    join(project, "package.json"),
    JSON.stringify({
      name: "project",
      version: "1.0.0",
      type: "module",
      dependencies: { twice: "file:twice-1.0.0.tgz" }
    })
  )
  await writeFile(
    join(project, "tsconfig.json"),
    JSON.stringify({
      compilerOptions: {
        module: "nodenext",
        target: "es2022",
        rootDir: "src",
        outDir: "dist",
        strict: true,
        types: []
      },
      include: ["src"]
    })
  )
  await writeFile(join(project, "src", "greet.ts"), program)
  await writeFile(join(project, "src", "main.ts"), `declare const console: { log(text: string): void }\n${main}`)
  const npm = ["install", "--offline", "--no-audit", "--no-fund", "--package-lock-only"]
  await run("npm", npm, { cwd: project })
  const git = (...args: ReadonlyArray<string>) => run("git", args, { cwd: project, env: gitEnvironment })
  await git("init", "-q", "-b", "main")
  await git("add", "-A")
  await git("commit", "-q", "-m", "A project")
}

describe("on a mount of", () => {
  for (const [name, make] of Object.entries(faces)) {
    it.live(`${name}: git clone, npm ci, a TypeScript build`, () =>
      Effect.gen(function* () {
        const folder = yield* temporaryFolder
        yield* Effect.promise(() => makeProject(folder))
        const { mountpoint, run: runOn } = yield* serve(make())
        const clone = join(mountpoint, "clone")
        yield* runOn("git", ["clone", "-q", "--no-local", join(folder, "project"), clone], { env: gitEnvironment })
        // The shell goes there: this process must not wait for a child that enters the mount it serves.
        const work = `
          cd "$1"; git fsck --full --strict; git status --porcelain
          npm ci --offline --no-audit --no-fund --silent; node_modules/.bin/twice
          "$2" "$3" -p .; "$2" dist/main.js
          git add dist/main.js; git commit -qm Built; git fsck --full --strict; cd /; rm -r "$1"`
        const tsc = join(root, "node_modules", "typescript", "bin", "tsc")
        assert.strictEqual(
          yield* runOn("sh", ["-ec", work, "sh", clone, process.execPath, tsc], { env: gitEnvironment }),
          "a program\nhello, mount hello, mount\n"
        )
      })
    )

    it.live(`${name}: a file that is removed while it is open, and one that is renamed over another`, () =>
      Effect.gen(function* () {
        const { mountpoint, run: runOn } = yield* serve(make())
        const script = `
          cd "$1"; echo one > file; exec 3< file 4>> file; rm file; ! test -e file
          echo two >&4; cat <&3; exec 3<&- 4>&-
          echo old > there; echo new > fresh; mv fresh there; cat there
          mkdir full empty; touch full/x; ! mv -T empty full 2>/dev/null; mv -T full empty; ls empty
          ln -s there link; mv link moved; readlink moved; cat moved; chmod 600 there; stat -c %a there
          touch -d @1000 there; stat -c %Y there; truncate -s 100000 there; stat -c %s there; ls`
        assert.strictEqual(
          yield* runOn("sh", ["-ec", script, "sh", mountpoint]),
          "one\ntwo\nnew\nx\nthere\nnew\n600\n1000\n100000\nempty\nmoved\nthere\n"
        )
      })
    )
  }
})
