/** What the daemon takes from where others can write: no configuration, no runtime directory. */
import { files } from "@bickford/transport"
import { assert, describe, it } from "@effect/vitest"
import * as Effect from "effect/Effect"
import {
  chmodSync,
  chownSync,
  existsSync,
  lchownSync,
  mkdirSync,
  readFileSync,
  statSync,
  symlinkSync,
  writeFileSync
} from "node:fs"
import { join } from "node:path"
import { attempt } from "../mount/processes.ts"
import { bickfordCommand, workFolder } from "./daemon.ts"

const EOPNOTSUPP = 95

/** An access ACL (acl(5), as its extended attribute has it): rwx for a named user and the mask, mode 775. */
const aclOfUser = (user: number): Uint8Array => {
  const unnamed = 0xffffffff
  const entries = [
    [0x01, 7, unnamed],
    [0x02, 7, user],
    [0x04, 5, unnamed],
    [0x10, 7, unnamed],
    [0x20, 5, unnamed]
  ] as const
  const bytes = Buffer.alloc(4 + entries.length * 8)
  bytes.writeUInt32LE(2, 0)
  for (const [index, [tag, permissions, id]] of entries.entries()) {
    bytes.writeUInt16LE(tag, 4 + index * 8)
    bytes.writeUInt16LE(permissions, 6 + index * 8)
    bytes.writeUInt32LE(id, 8 + index * 8)
  }
  return bytes
}

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
const code = (folder: string): string =>
  `runtime_directory = "${join(folder, "run")}"\n[mounts.x]\nsource = "module:b.mjs"\nmountpoint = "m"\n`

describe.skipIf(!isRoot)("as root", () => {
  it.live("./bickford.toml is taken only where it and its directory are root's, and nobody else may write them", () =>
    Effect.gen(function* () {
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
      assert.include(yield* refused(folder), `${file} can be written by others (mode 666,`)
      chmodSync(file, 0o664)
      assert.include(yield* refused(folder), `${file} can be written by others (mode 664,`)
      chmodSync(file, 0o644)
      chmodSync(folder, 0o1777)
      assert.include(yield* refused(folder), `${folder} can be written by others (mode 1777,`)
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
    })
  )

  it.live(
    "the runtime directory is no link, nobody else's, in no place where others may replace it, and holds nothing of theirs",
    () =>
      Effect.gen(function* () {
        const folder = join(yield* workFolder, "d")
        mkdirSync(folder, { mode: 0o755 })
        const precious = join(folder, "precious")
        mkdirSync(precious)
        chmodSync(precious, 0o755)
        const file = join(folder, "c.toml")
        const refusedAt = (directory: string) => {
          writeFileSync(
            file,
            `runtime_directory = ${JSON.stringify(directory)}\n[mounts.x]\nsource = "memory:"\nmountpoint = "m"\n`
          )
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
        assert.include(yield* refusedAt(join(theirs, "run")), `${theirs} can be written by others (mode 777,`)
        chownSync(theirs, stranger, stranger)
        assert.include(yield* refusedAt(theirs), `belongs to user ${stranger}`)
        assert.strictEqual(statSync(theirs).mode & 0o777, 0o777)
        chmodSync(theirs, 0o755)
        assert.include(
          yield* refusedAt(join(theirs, "run")),
          `can be replaced by others: ${theirs} belongs to user ${stranger}`
        )

        const lax = join(folder, "lax")
        mkdirSync(lax)
        const passwords = join(folder, "passwords")
        writeFileSync(passwords, "root")
        symlinkSync(passwords, join(lax, "state.json.new"))
        lchownSync(join(lax, "state.json.new"), stranger, stranger)
        assert.include(yield* refusedAt(lax), "holds state.json.new, which belongs to user")
        assert.strictEqual(readFileSync(passwords, "utf8"), "root")
        assert.isFalse(existsSync(join(lax, "control.sock")))
      })
  )
  it.live("the runtime directory lies below no directory, and no link, that others may write or own", () =>
    Effect.gen(function* () {
      const folder = join(yield* workFolder, "d")
      mkdirSync(folder, { mode: 0o755 })
      const refusedBelow = (place: string, ...below: ReadonlyArray<string>) => {
        const file = join(folder, "c.toml")
        const directory = join(place, ...below, "run")
        writeFileSync(
          file,
          `runtime_directory = ${JSON.stringify(directory)}\n[mounts.x]\nsource = "memory:"\nmountpoint = "m"\n`
        )
        return Effect.map(refused(folder, "--config", file), (sentence) => {
          assert.isFalse(existsSync(directory), "nothing is made where it is refused")
          return sentence
        })
      }
      const place = (name: string): string => {
        mkdirSync(join(folder, name, "p"), { recursive: true })
        return join(folder, name)
      }
      const group = place("group")
      chownSync(group, 0, 1000)
      chmodSync(group, 0o775)
      assert.include(
        yield* refusedBelow(group),
        `${group} can be written by others (mode 775, group 1000); chmod go-w ${group}`
      )
      assert.include(yield* refusedBelow(group, "p"), `${group} can be written by others (mode 775, group 1000)`)

      const grand = place("grand")
      chmodSync(grand, 0o777)
      assert.include(yield* refusedBelow(grand, "p"), `${grand} can be written by others (mode 777, group 0)`)
      chmodSync(grand, 0o1777)
      chownSync(join(grand, "p"), stranger, stranger)
      assert.include(
        yield* refusedBelow(grand, "p"),
        `${join(grand, "p")} belongs to user ${stranger} (mode 755, group ${stranger}); chown 0`
      )

      const owner = place("owner")
      chownSync(owner, stranger, 0)
      assert.include(yield* refusedBelow(owner, "p"), `${owner} belongs to user ${stranger}`)

      const link = place("link")
      symlinkSync(join(link, "p"), join(link, "ours"))
      symlinkSync("p", join(link, "theirs"))
      lchownSync(join(link, "theirs"), stranger, stranger)
      assert.include(yield* refusedBelow(link, "theirs"), `${join(link, "theirs")} belongs to user ${stranger}`)
      chmodSync(link, 0o775)
      const elsewhere = place("elsewhere")
      symlinkSync("../link/p", join(elsewhere, "far"))
      assert.include(yield* refusedBelow(elsewhere, "far"), `${link} can be written by others (mode 775`)
      symlinkSync("loop", join(elsewhere, "loop"))
      assert.include(yield* refusedBelow(elsewhere, "loop"), "too many symbolic links")
      chmodSync(link, 0o755)
      writeFileSync(join(link, "p", "run"), "")
      symlinkSync(link, join(elsewhere, "link"))
      const config = join(folder, "taken.toml")
      writeFileSync(
        config,
        `runtime_directory = ${JSON.stringify(join(elsewhere, "link", "ours", "run"))}\n[mounts.x]\nsource = "memory:"\nmountpoint = "m"\n`
      )
      assert.notInclude(yield* refused(folder, "--config", config), "replaced by others", "root's own links lead there")
    })
  )

  it.live("an ACL that lets others write counts as the mode's group bits do", (context) =>
    Effect.gen(function* () {
      const folder = join(yield* workFolder, "d")
      mkdirSync(folder, { mode: 0o755 })
      const place = join(folder, "acl")
      mkdirSync(place)
      const fd = files.fs_open_folder(place)
      const result = files.fs_setxattr(fd, "system.posix_acl_access", aclOfUser(1000), 0)
      files.fs_close(fd)
      if (result === -EOPNOTSUPP) context.skip("this filesystem has no ACLs")
      assert.strictEqual(result, 0)
      const file = join(folder, "c.toml")
      writeFileSync(
        file,
        `runtime_directory = ${JSON.stringify(join(place, "run"))}\n[mounts.x]\nsource = "memory:"\nmountpoint = "m"\n`
      )
      assert.include(
        yield* refused(folder, "--config", file),
        `${place} can be written by others (mode 775, group 0), whose ACL counts as the group`
      )
    })
  )

  it.live("./bickford.toml is not taken from below a directory that others may write", () =>
    Effect.gen(function* () {
      const folder = join(yield* workFolder, "d")
      const below = join(folder, "below")
      mkdirSync(below, { recursive: true })
      writeFileSync(join(below, "bickford.toml"), code(below))
      writeFileSync(join(below, "run"), "")
      assert.include(yield* refused(below), "the runtime directory")
      chmodSync(folder, 0o775)
      assert.include(yield* refused(below), `not used: ${folder} can be written by others (mode 775, group 0)`)
    })
  )
})
