/** What the daemon takes from where others can write: no configuration, no runtime directory. */
import { assert, describe, it } from "@effect/vitest"
import * as Effect from "effect/Effect"
import { chmodSync, chownSync, existsSync, lchownSync, mkdirSync, readFileSync, statSync, symlinkSync, writeFileSync } from "node:fs"
import { join } from "node:path"
import { attempt } from "../mount/processes.ts"
import { bickfordCommand, workFolder } from "./daemon.ts"

/** Nobody's number. */
const stranger = 65_534

const isRoot = process.geteuid?.() === 0

/** A daemon that is refused: how it ended, and what it said. */
const refused = (cwd: string, ...args: ReadonlyArray<string>) =>
  Effect.map(
    Effect.promise(() => {
      const [program = "", ...rest] = bickfordCommand
      return attempt(program, [...rest, "daemon", ...args], { cwd })
    }),
    ({ status, stderr }) => {
      assert.strictEqual(status, 1, stderr)
      return stderr
    }
  )

/** A configuration whose code leaves a file `ran`; its runtime directory cannot be made, so that a daemon that reads it ends. */
const code = (folder: string): string => `runtime_directory = "${join(folder, "run")}"\n[mounts.x]\nsource = "module:b.mjs"\nmountpoint = "m"\n`

describe.skipIf(!isRoot)("as root", () => {
  it.live("./bickford.toml is taken only where it and its directory are root's, and nobody else may write them", () =>
    Effect.gen(function*() {
      const folder = join(yield* workFolder, "d")
      mkdirSync(folder, { mode: 0o755 })
      const file = join(folder, "bickford.toml")
      writeFileSync(file, code(folder))
      // A file in its place: a daemon that took the configuration would say so.
      writeFileSync(join(folder, "run"), "")
      const taken = yield* refused(folder)
      assert.include(taken, "the runtime directory")

      chownSync(file, stranger, stranger)
      const foreign = yield* refused(folder)
      assert.include(foreign, `${file} was found, but not used: ${file} belongs to user ${stranger}`)
      assert.include(foreign, `--config ${file}`)
      assert.include(yield* refused(folder, "--config", file), "the runtime directory", "who names it means it")

      chownSync(file, 0, 0)
      chmodSync(file, 0o666)
      assert.include(yield* refused(folder), `${file} can be written by others (mode 666)`)
      chmodSync(file, 0o664)
      assert.include(yield* refused(folder), `${file} can be written by others (mode 664)`)
      chmodSync(file, 0o644)
      chmodSync(folder, 0o1777)
      assert.include(yield* refused(folder), `${folder} can be written by others (mode 1777)`)
      chmodSync(folder, 0o755)
      chownSync(folder, stranger, stranger)
      assert.include(yield* refused(folder), `${folder} belongs to user ${stranger}`)
      chownSync(folder, 0, 0)

      const elsewhere = join(folder, "elsewhere")
      mkdirSync(elsewhere)
      symlinkSync(file, join(elsewhere, "bickford.toml"))
      assert.include(yield* refused(elsewhere), "the runtime directory", "root's own link")
      lchownSync(join(elsewhere, "bickford.toml"), stranger, stranger)
      assert.include(yield* refused(elsewhere), `belongs to user ${stranger}`)
    }))

  it.live("the runtime directory is no link, nobody else's, in no place where others may replace it, and holds nothing of theirs", () =>
    Effect.gen(function*() {
      const folder = join(yield* workFolder, "d")
      mkdirSync(folder, { mode: 0o755 })
      const precious = join(folder, "precious")
      mkdirSync(precious)
      chmodSync(precious, 0o755)
      const file = join(folder, "c.toml")
      const refusedAt = (directory: string) => {
        writeFileSync(file, `runtime_directory = ${JSON.stringify(directory)}\n[mounts.x]\nsource = "memory:"\nmountpoint = "m"\n`)
        return refused(folder, "--config", file)
      }
      const link = join(folder, "link")
      symlinkSync(precious, link)
      assert.include(yield* refusedAt(link), `${link}: is a symbolic link`)
      lchownSync(link, stranger, stranger)
      assert.include(yield* refusedAt(link), `${link}: is a symbolic link`)
      assert.strictEqual(statSync(precious).mode & 0o777, 0o755, "what the link names is as it was")

      const theirs = join(folder, "theirs")
      mkdirSync(theirs)
      chmodSync(theirs, 0o777)
      assert.include(yield* refusedAt(join(theirs, "run")), "which everybody may write")
      chownSync(theirs, stranger, stranger)
      assert.include(yield* refusedAt(theirs), `belongs to user ${stranger}`)
      assert.strictEqual(statSync(theirs).mode & 0o777, 0o777)
      chmodSync(theirs, 0o755)
      assert.include(yield* refusedAt(join(theirs, "run")), `lies in ${theirs}, which belongs to user ${stranger}`)

      const lax = join(folder, "lax")
      mkdirSync(lax)
      const passwords = join(folder, "passwords")
      writeFileSync(passwords, "root")
      symlinkSync(passwords, join(lax, "state.json.new"))
      lchownSync(join(lax, "state.json.new"), stranger, stranger)
      assert.include(yield* refusedAt(lax), "holds state.json.new, which belongs to user")
      assert.strictEqual(readFileSync(passwords, "utf8"), "root")
      assert.isFalse(existsSync(join(lax, "control.sock")))
    }))
})
