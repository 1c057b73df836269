/** What a program sees of operations that its filesystem does not have, on the kernel of this machine. */
import { assert, describe, it } from "@effect/vitest"
import type { Backend } from "@bickford/session"
import * as Effect from "effect/Effect"
import * as Exit from "effect/Exit"
import { serve } from "../inProcess.ts"
import { oneFile } from "../oneFile.ts"
import { client } from "./rows.ts"

const { getattr, lookup, setattr } = oneFile()
/** Has names and attributes, and nothing else. */
const least: Backend = { getattr, lookup } as Backend
/** Changes attributes, so that it is not read-only. */
const changing: Backend = { ...least, setattr } as Backend

/** What the expressions give, each or its errno. */
const outcomes = (backend: Backend, expressions: ReadonlyArray<string>, defaultPermissions: boolean) =>
  Effect.gen(function* () {
    const { mountpoint, run } = yield* serve(backend, { defaultPermissions })
    const programs = expressions.map((expression) => [
      expression,
      `
try: print(${expression})
except OSError as error: print(errno.errorcode[error.errno])`
    ])
    const printed = yield* run("python3", ["-c", client, mountpoint, JSON.stringify(programs)])
    return Object.fromEntries(
      expressions.map((expression, n) => [expression, printed.split("\n")[n]?.slice(expression.length + 2)])
    )
  })

const asking = {
  'os.statvfs(".").f_namemax': "255",
  'os.statvfs(".").f_bsize': "512",
  'os.statvfs(".").f_blocks': "0",
  'os.access("file", os.R_OK)': "True",
  'os.close(opened("file", os.O_RDONLY))': "None",
  'os.pread(opened("file", os.O_RDONLY), 5, 0)': "ENOSYS",
  'os.close(os.open(".", os.O_RDONLY | os.O_DIRECTORY))': "None",
  'os.listdir(".")': "ENOSYS",
  'os.readlink("file")': "EINVAL",
  'os.getxattr("file", "user.x")': "ENOTSUP",
  'os.listxattr("file")': "ENOTSUP",
  'os.fsync(opened("file", os.O_RDONLY))': "None"
} as const

const changes = [
  'os.mkdir("dir")',
  'os.rmdir("dir")',
  'os.unlink("file")',
  'os.symlink("a", "link")',
  'os.mknod("fifo", stat.S_IFIFO | 0o600)',
  'os.rename("file", "other")'
]
/** The kernel makes EPERM of ENOSYS (fuse_link in fs/fuse/dir.c). */
const linking = 'os.link("file", "second")'

describe("operations that a filesystem does not have", () => {
  for (const defaultPermissions of [true, false]) {
    it.live(
      `are answered as libfuse's are, where the kernel ${defaultPermissions ? "checks" : "does not check"} permissions`,
      () =>
        Effect.gen(function* () {
          assert.deepStrictEqual(yield* outcomes(changing, Object.keys(asking), defaultPermissions), asking)
          const refused = Object.fromEntries(changes.map((change) => [change, "ENOSYS"]))
          const missing = { 'os.rmdir("dir")': "ENOENT" }
          assert.deepStrictEqual(yield* outcomes(changing, changes, defaultPermissions), { ...refused, ...missing })
        })
    )

    it.live(
      `are EROFS where it changes nothing at all, and the kernel ${defaultPermissions ? "checks" : "does not check"} permissions`,
      () =>
        Effect.gen(function* () {
          const all = [
            ...changes,
            linking,
            'os.chmod("file", 0o600)',
            'os.pwrite(opened(), b"x", 0)',
            'os.setxattr("file", "user.x", b"y")'
          ]
          const refused = Object.fromEntries(all.map((change) => [change, "EROFS"]))
          assert.deepStrictEqual(yield* outcomes(least, all, defaultPermissions), {
            ...refused,
            'os.rmdir("dir")': "ENOENT"
          })
        })
    )
  }

  it.live("leave a file readable, without open and release", () =>
    Effect.gen(function* () {
      const reading: Backend = { ...least, read: () => Exit.succeed(Buffer.from("hello")) } as Backend
      const { mountpoint, run } = yield* serve(reading)
      assert.strictEqual(yield* run("cat", [`${mountpoint}/file`]), "hello")
    })
  )
})
