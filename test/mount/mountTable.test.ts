/** Several backends under one root, on the real kernel. */
import { assert, describe, it } from "@effect/vitest"
import { memory, mountTable, passthrough, tree, withLog } from "@bickford/backends"
import { FakeKernel } from "@bickford/session/testing"
import { Errno } from "@bickford/session"
import * as Effect from "effect/Effect"
import { mkdtemp, rm, writeFile } from "node:fs/promises"
import { tmpdir } from "node:os"
import { join } from "node:path"
import { serve } from "./inProcess.ts"

const table = () =>
  mountTable({ "/": memory(), "/data": memory(), "/etc/app": tree({ config: "text" }), "/data/inner": memory() })

describe("a mount table", () => {
  it.live("lists, finds and keeps apart what is mounted in it", () =>
    Effect.gen(function* () {
      const { attempt, mountpoint, run } = yield* serve(table())
      const at = (path: string) => join(mountpoint, path)
      assert.strictEqual(yield* run("ls", [mountpoint]), "data\netc\n")
      assert.strictEqual(yield* run("ls", [at("etc")]), "app\n")
      assert.strictEqual(yield* run("cat", [at("etc/app/config")]), "text")
      yield* run("sh", [
        "-c",
        'cd "$1" && echo root >file && echo data >data/file && echo inner >data/inner/file && ln file link',
        "sh",
        mountpoint
      ])
      assert.strictEqual(
        yield* run("sh", ["-c", 'cd "$1" && cat file data/file data/inner/file', "sh", mountpoint]),
        "root\ndata\ninner\n"
      )
      const inodes = (yield* run("stat", [
        "--format=%i",
        at("."),
        at("data"),
        at("data/inner"),
        at("file"),
        at("data/file"),
        at("data/inner/file")
      ]))
        .trim()
        .split("\n")
      assert.strictEqual(new Set(inodes).size, 6, "no two files have one number")
      assert.strictEqual(
        yield* run("find", [mountpoint, "-type", "f", "-printf", "%P\n"]).pipe(
          Effect.map((text) => text.split("\n").sort().join(" ").trim())
        ),
        "data/file data/inner/file etc/app/config file link"
      )
      for (const [command, error] of [
        ["ln file data/link", "Invalid cross-device link"],
        ["mv -T data elsewhere", "busy"],
        ["rmdir data", "busy"],
        ["mkdir data", "File exists"],
        ["touch etc/new", "Read-only"],
        ["cat data/none", "No such file"]
      ] as const) {
        const { status, stderr } = yield* attempt("sh", ["-c", `cd "$1" && ${command}`, "sh", mountpoint])
        assert.notStrictEqual(status, 0, command)
        assert.include(stderr.toLowerCase(), error.toLowerCase(), command)
      }
      // mv(1) copies where it cannot rename.
      yield* run("mv", [at("file"), at("data/moved")])
      assert.strictEqual(yield* run("cat", [at("data/moved"), at("link")]), "root\nroot\n")
      yield* run("cp", ["-a", join(import.meta.dirname, "..", "conformance"), at("data/inner/copy")])
      yield* run("diff", ["-r", join(import.meta.dirname, "..", "conformance"), at("data/inner/copy")])
    })
  )

  it.live("lets the kernel read a served directory's files by itself, as without a table", () =>
    Effect.gen(function* () {
      const served = yield* Effect.acquireRelease(
        Effect.promise(() => mkdtemp(join(tmpdir(), "bickford-served-"))),
        (path) => Effect.promise(() => rm(path, { recursive: true }))
      )
      yield* Effect.promise(() => writeFile(join(served, "file"), "text"))
      const asked: Array<string> = []
      const directory = withLog(yield* passthrough(served), ({ operation }) => asked.push(operation))
      const { mountpoint, run } = yield* serve(mountTable({ "/": memory(), "/served": directory }))
      assert.strictEqual(yield* run("cat", [join(mountpoint, "served", "file")]), "text")
      assert.include(asked, "open")
      assert.notInclude(asked, "read")
    })
  )

  it.live("what one backend lacks does not end it for the others", () =>
    Effect.gen(function* () {
      const lacking = { lookup: () => Errno.ENOENT, getattr: memory().getattr ?? (() => Errno.EIO) }
      const { kernel } = yield* FakeKernel.serve(mountTable({ "/": lacking, "/data": memory() }))
      yield* kernel.init()
      const setxattr = { op: "setxattr", name: "user.a", value: Buffer.from("b"), flags: 0, setxattrFlags: 0 } as const
      // As alone on a connection: what lacks every change is read-only.
      assert.strictEqual((yield* Effect.flip(kernel.call(setxattr)))._tag, "EROFS")
      const { nodeid } = yield* kernel.call({ op: "lookup", name: "data" })
      yield* kernel.call({ ...setxattr, nodeid })
      assert.strictEqual(
        Buffer.from(
          (yield* kernel.call({ op: "getxattr", nodeid, name: "user.a", size: 16 })) as Uint8Array
        ).toString(),
        "b"
      )
    })
  )

  it.live("forgets go where the node is", () =>
    Effect.gen(function* () {
      const kept = memory()
      const { kernel } = yield* FakeKernel.serve(mountTable({ "/": memory(), "/data": kept }))
      yield* kernel.init()
      const { nodeid } = yield* kernel.call({ op: "lookup", name: "data" })
      const made = yield* kernel.call({ op: "mknod", nodeid, name: "file", mode: 0o100644, rdev: 0, umask: 0 })
      yield* kernel.call({ op: "unlink", nodeid, name: "file" })
      assert.strictEqual(kept.stats().inodes, 2, "still held")
      yield* kernel.forget(made.nodeid, 1)
      yield* kernel.call({ op: "getattr", getattrFlags: 0, fh: 0 })
      assert.strictEqual(kept.stats().inodes, 1)
    })
  )

  it("refuses paths that make no sense", () => {
    for (const path of ["data", "/a/../b", "/./a"]) assert.throws(() => mountTable({ [path]: memory() }), TypeError)
    assert.throws(() => mountTable({ "/a": memory(), "/a/": memory() }), TypeError)
  })
})
