/** Filesystems of others that answer what they should not, late, or never: the caller gets an error, and the mount goes on. */
import { assert, describe, it } from "@effect/vitest"
import { fromFs, fromJustBash } from "@bickford/faces"
import { fileType } from "bickford"
import * as Effect from "effect/Effect"
import { InMemoryFs } from "just-bash"
import { Volume } from "memfs"
import { spawn } from "node:child_process"
import { once } from "node:events"
import { serve } from "../mount/inProcess.ts"

type Methods = { readonly [name: string]: (...args: ReadonlyArray<never>) => unknown }

/** memfs with a few files, and some methods put in the place of its own, as JavaScript has it: no type holds them back. */
const memfsWith = (change: (own: Methods) => object) => {
  const { promises } = Volume.fromJSON({ "/file": "hello\n", "/other": "", "/third": "", "/directory/file": "text\n" })
  const names = [
    "stat",
    "lstat",
    "readdir",
    "readFile",
    "writeFile",
    "open",
    "mkdir",
    "rmdir",
    "unlink",
    "rename",
    "rm"
  ]
  const own: Methods = Object.fromEntries(names.map((name) => [name, Reflect.get(promises, name).bind(promises)]))
  const methods = { ...own, ...change(own) }
  return new Proxy(promises, { get: (_, name) => Reflect.get(methods, name) })
}

const never = () => new Promise<never>(() => {})

describe("a filesystem of somebody else's", () => {
  it.live("that never answers: a caller of whatever it is returns when it is killed, and others are served", () =>
    Effect.gen(function* () {
      let asked: () => void = () => {}
      const silent = () => {
        asked()
        return never()
      }
      const changed = { open: silent, unlink: silent, mkdir: silent, rmdir: silent, rename: silent }
      const { mountpoint, run } = yield* serve(fromFs(memfsWith(() => changed)))
      for (const command of [
        "cat file",
        "mkdir made",
        "rm -f file",
        "touch made",
        "mv file moved",
        "rmdir directory"
      ]) {
        yield* Effect.promise(async () => {
          const waiting = new Promise<void>((resolve) => (asked = resolve))
          const caller = spawn("sh", ["-c", `cd "$1"; exec ${command}`, "sh", mountpoint], {
            stdio: "ignore",
            cwd: "/"
          })
          const ended = once(caller, "exit")
          await waiting
          caller.kill("SIGINT")
          assert.deepStrictEqual(await ended, [null, "SIGINT"], command)
        })
      }
      assert.strictEqual(yield* run("ls", [mountpoint]), "directory\nfile\nother\nthird\n")
    })
  )

  for (const [what, read, written] of [
    ["nothing", {}, {}],
    ["more than was asked for", { bytesRead: 1e9 }, { bytesWritten: 1e9 }],
    ["less than nothing", { bytesRead: -1 }, { bytesWritten: -1 }],
    ["half a byte", { bytesRead: 0.5 }, { bytesWritten: 0.5 }]
  ] as const)
    it.live(`whose handles say that they read and wrote ${what}: EIO`, () =>
      Effect.gen(function* () {
        const open = async () => ({
          read: async () => read,
          write: async () => written,
          stat: async () => ({
            mode: fileType.reg | 0o644,
            size: 6,
            isDirectory: () => false,
            isSymbolicLink: () => false
          }),
          truncate: async () => undefined,
          close: async () => undefined
        })
        const { attempt, mountpoint } = yield* serve(fromFs(memfsWith(() => ({ open }))))
        const said = yield* attempt("sh", ["-c", 'cd "$1"; cat file; echo text > file', "sh", mountpoint])
        assert.match(said.stderr, /cat: file: Input\/output error\n.*(I\/O|Input\/output) error\n$/)
        assert.strictEqual(said.stdout, "")
      })
    )

  it.live("whose answers have a `then` and are no Promises", () =>
    Effect.gen(function* () {
      const likePromise =
        (method: (...args: ReadonlyArray<never>) => unknown) =>
        (...args: ReadonlyArray<never>) => {
          const answer = Promise.resolve(method(...args))
          return {
            // oxlint-disable-next-line unicorn/no-thenable -- what is like a Promise is what is tried
            then: (next: (value: unknown) => void, failed: (error: unknown) => void) => void answer.then(next, failed)
          }
        }
      const all = (own: Methods) =>
        Object.fromEntries(Object.entries(own).map(([name, method]) => [name, likePromise(method)]))
      const { attempt, mountpoint } = yield* serve(fromFs(memfsWith(all)))
      const script = 'cd "$1"; cat file; echo new > made; cat made; rm made; cat made; mkdir d; rmdir d; ls'
      const said = yield* attempt("sh", ["-c", script, "sh", mountpoint])
      assert.strictEqual(said.stdout, "hello\nnew\ndirectory\nfile\nother\nthird\n")
      assert.strictEqual(said.stderr, "cat: made: No such file or directory\n")
    })
  )

  it.live("of just-bash's shape whose methods throw and answer at once", () =>
    Effect.gen(function* () {
      const fs = new InMemoryFs({ "/file": "hello\n" })
      const lstat = (path: string) => {
        if (path === "/missing") throw new Error("ENOENT: no such file or directory, lstat '/missing'")
        return fs.lstat(path)
      }
      const atOnce = new Proxy(fs, {
        get: (target, name) => {
          if (name === "lstat") return lstat
          if (name === "readdir") return () => ["file"]
          const own: unknown = Reflect.get(target, name)
          return typeof own === "function" ? own.bind(target) : own
        }
      })
      const { attempt, mountpoint } = yield* serve(fromJustBash(atOnce))
      const said = yield* attempt("sh", ["-c", 'cd "$1"; ls; cat file; cat missing', "sh", mountpoint])
      assert.strictEqual(said.stdout, "file\nhello\n")
      assert.strictEqual(said.stderr, "cat: missing: No such file or directory\n")
    })
  )
})
