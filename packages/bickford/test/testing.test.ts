/** The testing kit for programs without Effect. */
import { assert, it } from "@effect/vitest"
import { fileType, memory, PathFilesystem } from "bickford"
import { serveForTest, TestCallError } from "bickford/testing"

const refusal = (promise: Promise<unknown>): Promise<unknown> =>
  promise.then(
    () => "done",
    (error: unknown) => error
  )

it("a test reads like a use of the filesystem", async () => {
  await using kernel = await serveForTest(memory())
  await kernel.mkdir("/a")
  await kernel.writeFile("/a/b", "text")
  await kernel.rename("/a/b", "/a/c")
  await kernel.symlink("a/c", "/link")
  await kernel.link("/a/c", "/d")
  assert.deepStrictEqual([...(await kernel.readdir("/"))].sort(), ["a", "d", "link"])
  assert.strictEqual(String(await kernel.readFile("/link")), "text")
  assert.strictEqual(await kernel.readlink("/link"), "a/c")
  assert.strictEqual((await kernel.lstat("/link")).mode & 0o170000, fileType.lnk)
  await kernel.truncate("/d", 2)
  await kernel.chmod("/d", 0o600)
  assert.deepStrictEqual(
    await kernel.stat("/a/c").then(({ mode, nlink, size }) => [mode, nlink, size]),
    [0o100600, 2, 2]
  )
  await kernel.unlink("/a/c")
  await kernel.rmdir("/a")
  assert.strictEqual(kernel.session.connection.nodes.size, 0)
  assert.deepStrictEqual(kernel.unexpected(), [])
})

it("an errno rejects as Node's own errors do", async () => {
  await using kernel = await serveForTest(memory())
  const error = await refusal(kernel.readFile("/none"))
  if (!(error instanceof TestCallError)) throw new Error(`expected a TestCallError, not ${String(error)}`)
  assert.deepStrictEqual([error.code, error.errno, error.syscall, error.path], ["ENOENT", -2, "readFile", "/none"])
  assert.include(String(error), "ENOENT: no such file or directory, readFile '/none'")
})

it("a fault in a callback is EIO for the call that met it, and counted", async () => {
  await using kernel = await serveForTest(
    PathFilesystem.make({
      getattr: (path) => (path === "/" ? { mode: fileType.dir | 0o755 } : { mode: fileType.reg | 0o444, size: 1 }),
      read: () => {
        throw new Error("a fault made on purpose")
      }
    })
  )
  assert.include(String(await refusal(kernel.readFile("/file"))), "EIO")
  assert.strictEqual(kernel.session.connection.counters.defects, 1)
  assert.strictEqual((await kernel.stat("/file")).size, 1)
})

it("leaving the block ends the filesystem", async () => {
  let destroyed = 0
  {
    await using kernel = await serveForTest({
      ...memory(),
      destroy: async () => {
        destroyed++
      }
    })
    await kernel.stat("/")
  }
  assert.strictEqual(destroyed, 1)
})

it("a backend that does not start is said at once", async () => {
  assert.notStrictEqual(
    await refusal(serveForTest({ ...memory(), init: () => Promise.reject(new Error("no database")) })),
    "done"
  )
})
