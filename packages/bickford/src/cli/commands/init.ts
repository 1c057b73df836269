/** `bickford init`: a project to start from. */
import { type CommandError, commandError } from "@bickford/daemon"
import * as Argument from "effect/cli/Argument"
import * as Command from "effect/cli/Command"
import * as Console from "effect/Console"
import * as Effect from "effect/Effect"
import { mkdirSync, writeFileSync } from "node:fs"
import { basename, join, resolve } from "node:path"
import { readVersion } from "../../version.ts"

const filesystem = `import { fileType, PathFilesystem } from "bickford"

const text = "hello\\n"

export const backend = PathFilesystem.make({
  getattr: (path) => {
    if (path === "/") return { mode: fileType.dir | 0o755 }
    return path === "/hello" && { mode: fileType.reg | 0o444, size: text.length }
  },
  readdir: () => ["hello"],
  read: (_handle, size, offset) => text.slice(Number(offset), Number(offset) + size)
})
`

const test = `import { serveForTest } from "bickford/testing"
import assert from "node:assert/strict"
import { test } from "node:test"
import { backend } from "./filesystem.ts"

test("hello is there, and nothing else", async (t) => {
  const kernel = await serveForTest(backend)
  t.after(() => kernel.close())
  assert.deepEqual(await kernel.readdir("/"), ["hello"])
  assert.equal(String(await kernel.readFile("/hello")), "hello\\n")
  await assert.rejects(kernel.readFile("/other"), { code: "ENOENT" })
})
`

const manifest = (name: string) => ({
  name,
  private: true,
  type: "module",
  scripts: { test: "node --test", mount: "mkdir -p mnt && bickford mount module:filesystem.ts mnt" },
  dependencies: { bickford: readVersion() }
})

/** npm's names are of lower case, and have no blanks. */
const packageName = (folder: string): string =>
  basename(folder)
    .toLowerCase()
    .replace(/[^a-z0-9._-]+/g, "-")
    .replace(/^[._-]+/, "") || "filesystem"

const write = (folder: string, name: string, text: string): void =>
  writeFileSync(join(folder, name), text, { flag: "wx" })

/** Makes the project in `directory`. Replaces no file: fails where one of its own is there already. */
const init = (directory: string): Effect.Effect<void, CommandError> =>
  Effect.try({
    try: () => {
      const folder = resolve(directory)
      mkdirSync(folder, { recursive: true })
      write(folder, "package.json", `${JSON.stringify(manifest(packageName(folder)), undefined, 2)}\n`)
      write(folder, "filesystem.ts", filesystem)
      write(folder, "filesystem.test.ts", test)
      write(folder, ".gitignore", "node_modules/\nmnt/\n")
    },
    catch: (error) => commandError(error instanceof Error ? error.message : String(error))
  }).pipe(
    Effect.andThen(
      Console.log(`A filesystem is in ${directory}: cd ${directory} && npm install && npm test && npm run mount`)
    )
  )

export const initCommand = Command.make(
  "init",
  { directory: Argument.String("DIR").pipe(Argument.withDescription("A directory, made if it is not there")) },
  ({ directory }) => init(directory)
).pipe(Command.withDescription("Make a project with a filesystem, its test and a mount script"))
