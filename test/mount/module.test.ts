/** `module:FILE`: a filesystem of one's own, from a directory that has no packages. */
import { assert, describe, it } from "@effect/vitest"
import { mkdtemp, realpath, rm, writeFile } from "node:fs/promises"
import { tmpdir } from "node:os"
import { join } from "node:path"
import { bickford, withMount } from "./bickford.ts"

/** Runs `body` with the path of a module that lies far from any node_modules. */
const withModule = async (name: string, text: string, body: (file: string) => Promise<unknown>): Promise<void> => {
  const folder = await realpath(await mkdtemp(join(tmpdir(), "bickford-module-")))
  try {
    const file = join(folder, name)
    await writeFile(file, text)
    await body(file)
  } finally {
    await rm(folder, { recursive: true })
  }
}

const typescript = `
import { fileType, PathFilesystem } from "bickford"
import { Errno } from "@bickford/session"
import * as Effect from "effect/Effect"

interface Served { readonly text: string }
const served: Served = { text: "served\\n" }

export const backend = PathFilesystem.make({
  getattr: (path: string) => path === "/" ? { mode: fileType.dir | 0o755 } : path === "/broken" ? { mode: fileType.reg | 0o444, size: 9 } :
    path === "/file" ? { mode: fileType.reg | 0o444, size: served.text.length } : Errno.ENOENT,
  readdir: () => ["file", "broken"],
  open: (path: string) => path,
  read: (path: string) => {
    if (path === "/broken") throw new TypeError("not today")
    return Effect.succeed(served.text)
  }
})
`

describe("a module of one's own", () => {
  it("in TypeScript imports what serves it", () =>
    withModule("mine.ts", typescript, (file) =>
      withMount(
        async (served) => {
          assert.strictEqual(await served.run("cat", [join(served.mountpoint, "file")]), "served\n")
        },
        [],
        `module:${file}`
      )
    ))

  it("in CommonJS requires what serves it", () =>
    withModule("mine.cjs", `const { memory } = require("bickford")\nexports.backend = () => memory()\n`, (file) =>
      withMount(
        async (served) => {
          await served.run("sh", ["-c", 'echo text > "$1"', "sh", join(served.mountpoint, "file")])
          assert.strictEqual(await served.run("cat", [join(served.mountpoint, "file")]), "text\n")
        },
        [],
        `module:${file}`
      )
    ))

  it("that throws in an operation has file and line in the log", () =>
    withModule("mine.ts", typescript, (file) =>
      withMount(
        async (served) => {
          await served.run("sh", ["-c", '! cat "$1"', "sh", join(served.mountpoint, "broken")])
          assert.match(served.log(), /not today/)
          assert.include(served.log(), `${file}:15:`)
        },
        [],
        `module:${file}`
      )
    ))

  const refused = async (name: string, text: string, place: (file: string) => string, what: RegExp): Promise<void> => {
    await withModule(name, text, async (file) => {
      const { status, stderr } = await bickford(["mount", `module:${file}`, tmpdir()])
      assert.strictEqual(status, 1)
      const last = stderr.trimEnd().split("\n").at(-1) ?? ""
      assert.match(last, what)
      assert.include(last, place(file))
    })
  }

  it("that throws when it is loaded is refused with file, line and stack", async () => {
    const text = `const fail = (): never => {\n  throw new TypeError("no luck")\n}\nfail()\n`
    await refused("mine.ts", text, (file) => `, at ${file}:2:9`, /^bickford: module:.*TypeError: no luck/)
    await withModule("mine.ts", text, async (file) => {
      assert.match((await bickford(["mount", `module:${file}`, tmpdir()])).stderr, /at fail \(file:.*mine\.ts:2:9\)/)
    })
  })

  it("that cannot be read is refused with file and line", async () => {
    await refused("mine.mjs", `export const backend = {\n  read: ( {\n}\n`, (file) => `, at ${file}:`, /SyntaxError/)
    await refused("mine.ts", `\nenum Kind { one }\n`, (file) => `, at ${file}:2`, /enum is not supported/)
    await refused(
      "mine.ts",
      `\nimport { nothing } from "bickford"\n`,
      (file) => `, at ${file}:2`,
      /does not provide an export named 'nothing'/
    )
  })

  it("that exports no backend, or imports what is not there, is told so", async () => {
    await refused("mine.ts", `export const other = 1\n`, (file) => file, /does not export a backend/)
    await refused("mine.ts", `import "./gone.ts"\n`, (file) => file, /Cannot find module .*gone\.ts/)
  })
})
