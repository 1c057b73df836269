/** A face, call by call, against the filesystem behind it used directly: the same answers, and the same tree at the end. */
import { assert, describe, it } from "@effect/vitest"
import type { Backend, ErrnoError } from "@bickford/session"
import { FakeKernel } from "@bickford/session/testing"
import * as Effect from "effect/Effect"
import { layer as nodeFileSystem } from "@effect/platform-node/NodeFileSystem"
import { FileSystem } from "effect/FileSystem"
import * as fc from "fast-check"
import { InMemoryFs } from "just-bash"
import { Volume } from "memfs"
import * as nodeFs from "node:fs/promises"
import { tmpdir } from "node:os"
import { dirname, join } from "node:path"
import { MemoryProvider } from "@platformatic/vfs"
import { fromEffect, fromFs, type FsLike, fromJustBash, fromVfs } from "../src/index.ts"

/** What is done directly: the calls of a program, by path. */
interface Direct {
  readonly readFile: (path: string) => Promise<string>
  readonly writeFile: (path: string, text: string) => Promise<void>
  readonly mkdir: (path: string) => Promise<void>
  readonly rmdir: (path: string) => Promise<void>
  readonly unlink: (path: string) => Promise<void>
  readonly rename: (path: string, newPath: string) => Promise<void>
  readonly symlink: (target: string, path: string) => Promise<void>
  readonly readlink: (path: string) => Promise<string>
  readonly readdir: (path: string) => Promise<ReadonlyArray<string>>
  /** The type, and a file's size. */
  readonly lstat: (path: string) => Promise<string>
}

type Step =
  | { readonly call: "readFile" | "mkdir" | "rmdir" | "unlink" | "readlink" | "readdir" | "lstat"; readonly at: string }
  | { readonly call: "writeFile"; readonly at: string; readonly text: string }
  | { readonly call: "rename"; readonly at: string; readonly to: string }
  | { readonly call: "symlink"; readonly at: string; readonly target: string }

const name = fc.constantFrom("a", "b", "c")
const path = fc.array(name, { minLength: 1, maxLength: 3 }).map((names) => `/${names.join("/")}`)
const step: fc.Arbitrary<Step> = fc.oneof(
  fc.record({
    call: fc.constantFrom("readFile", "mkdir", "mkdir", "rmdir", "unlink", "readlink", "readdir", "lstat"),
    at: path
  }),
  fc.record({ call: fc.constant("writeFile" as const), at: path, text: fc.string({ maxLength: 40 }) }),
  fc.record({ call: fc.constant("rename" as const), at: path, to: path }),
  fc.record({ call: fc.constant("symlink" as const), at: path, target: fc.constantFrom("a", "missing", "../b") })
)

const isDirectory = async (direct: Direct, at: string): Promise<boolean> =>
  at === "/" || (await direct.lstat(at).catch(() => "")) === "directory"
const isThere = async (direct: Direct, at: string): Promise<boolean> =>
  direct.lstat(at).then(
    () => true,
    () => false
  )

/** What the kernel would refuse by itself, so that neither side is asked: the filesystems differ about it among themselves. */
const isSound = async (direct: Direct, one: Step): Promise<boolean> => {
  const { at, call } = one
  if (!(await isDirectory(direct, dirname(at)))) return false
  const there = await isThere(direct, at)
  if (call === "mkdir" || call === "symlink") return !there
  if (call === "writeFile") return !there || (await direct.lstat(at)).startsWith("file")
  if (!there) return false
  const directory = await isDirectory(direct, at)
  if (call === "readdir") return directory
  if (call === "rmdir") return directory && (await direct.readdir(at)).length === 0
  if (call === "unlink") return !directory
  if (call === "readlink") return (await direct.lstat(at)) === "link"
  if (call === "readFile") return (await direct.lstat(at)).startsWith("file")
  if (call === "rename") {
    const { to } = one
    return (
      to !== at &&
      !to.startsWith(`${at}/`) &&
      !at.startsWith(`${to}/`) &&
      (await isDirectory(direct, dirname(to))) &&
      !(await isThere(direct, to))
    )
  }
  return true
}

const directly = async (direct: Direct, one: Step): Promise<unknown> => {
  switch (one.call) {
    case "writeFile":
      return direct.writeFile(one.at, one.text)
    case "rename":
      return direct.rename(one.at, one.to)
    case "symlink":
      return direct.symlink(one.target, one.at)
    case "readdir":
      return (await direct.readdir(one.at)).toSorted()
    default:
      return direct[one.call](one.at)
  }
}

const typeOf = (mode: number): string => {
  const type = mode & 0o170000
  return type === 0o040000 ? "directory" : type === 0o120000 ? "link" : "file"
}

/** The calls of a program on the face, over a socketpair. */
const throughFace = (kernel: FakeKernel.FakeKernel): Direct => {
  const run = <A>(call: Effect.Effect<A, ErrnoError | { readonly _tag: "FakeKernelError" }>): Promise<A> =>
    Effect.runPromise(call)
  return {
    readFile: async (at) => (await run(kernel.readFile(at))).toString(),
    writeFile: (at, text) => run(kernel.writeFile(at, text)),
    mkdir: (at) => run(kernel.mkdir(at)),
    rmdir: (at) => run(kernel.rmdir(at)),
    unlink: (at) => run(kernel.unlink(at)),
    rename: (at, to) => run(kernel.rename(at, to)),
    symlink: (target, at) => run(kernel.symlink(target, at)),
    readlink: async (at) => String(await run(kernel.readlink(at))),
    readdir: async (at) => (await run(kernel.readdir(at))).map(String),
    lstat: async (at) => {
      const { mode, size } = await run(kernel.lstat(at))
      const type = typeOf(mode)
      return type === "file" ? `file of ${size}` : type
    }
  }
}

/** Both sides work on the same filesystem: each sees what the other did. */
const agree = (makeBoth: () => Promise<{ readonly backend: Backend; readonly direct: Direct }>) =>
  fc.assert(
    fc.asyncProperty(fc.array(fc.tuple(fc.boolean(), step), { maxLength: 40 }), (steps) =>
      Effect.runPromise(
        Effect.scoped(
          Effect.gen(function* () {
            const { backend, direct } = yield* Effect.promise(makeBoth)
            const { kernel } = yield* FakeKernel.serve(backend)
            yield* kernel.init()
            const face = throughFace(kernel)
            yield* Effect.promise(async () => {
              for (const [byFace, one] of steps) {
                if (!(await isSound(direct, one))) continue
                if (byFace) await directly(face, one)
                else await directly(direct, one)
                for (const at of ["at" in one ? one.at : "/", dirname(one.at)]) {
                  const there = await isThere(direct, at)
                  assert.strictEqual(await isThere(face, at), there, `${at} after ${JSON.stringify(one)}`)
                  if (!there || at === "/") continue
                  const type = await direct.lstat(at)
                  assert.strictEqual(await face.lstat(at), type, at)
                  if (type.startsWith("file")) assert.strictEqual(await face.readFile(at), await direct.readFile(at))
                  if (type === "link") assert.strictEqual(await face.readlink(at), await direct.readlink(at))
                  if (type === "directory")
                    assert.deepStrictEqual(
                      (await face.readdir(at)).toSorted(),
                      (await direct.readdir(at)).toSorted(),
                      at
                    )
                }
              }
            })
          })
        )
      )
    ),
    { numRuns: 60 }
  )

/** Anything with the shape of `node:fs/promises`, used directly below `root`. */
const directFs = (fs: FsLike, root = ""): Direct => {
  const at = (below: string): string => root + below
  return {
    readFile: async (file) => Buffer.from(await fs.readFile(at(file))).toString(),
    writeFile: async (file, text) => void (await fs.writeFile?.(at(file), Buffer.from(text))),
    mkdir: async (file) => void (await fs.mkdir?.(at(file))),
    rmdir: async (file) => void (await fs.rmdir?.(at(file))),
    unlink: async (file) => void (await fs.unlink?.(at(file))),
    rename: async (file, to) => void (await fs.rename?.(at(file), at(to))),
    symlink: async (target, file) => void (await fs.symlink?.(target, at(file))),
    readlink: async (file) => String(await fs.readlink?.(at(file))),
    readdir: async (file) => Array.from(await fs.readdir(at(file)), String),
    lstat: async (file) => {
      const stats = await (fs.lstat ?? fs.stat).call(fs, at(file))
      if (stats.isDirectory()) return "directory"
      return stats.isSymbolicLink() ? "link" : `file of ${stats.size}`
    }
  }
}

const noTimeouts = { entryTimeout: 0, attrTimeout: 0 }

const withFolder = async (body: (folder: string) => Promise<void>): Promise<void> => {
  const folder = await nodeFs.mkdtemp(join(tmpdir(), "bickford-faces-"))
  try {
    await body(folder)
  } finally {
    await nodeFs.rm(folder, { recursive: true, force: true })
  }
}

describe("a face agrees with what it serves", () => {
  it("memfs, by handles", () =>
    agree(async () => {
      const { promises } = Volume.fromJSON({}, "/")
      // memfs follows links where it renames; the face does not.
      return { backend: fromFs(promises, noTimeouts), direct: { ...directFs(promises), rename: renameIn(promises) } }
    }))

  it("node:fs/promises", () =>
    withFolder((folder) =>
      agree(async () => {
        const root = await nodeFs.mkdtemp(join(folder, "run-"))
        return { backend: fromFs(nodeFs, { root, ...noTimeouts }), direct: directFs(nodeFs, root) }
      })
    ))

  it("Effect's FileSystem", () =>
    withFolder((folder) =>
      agree(async () => {
        const root = await nodeFs.mkdtemp(join(folder, "run-"))
        const service = await Effect.runPromise(Effect.provide(FileSystem, nodeFileSystem))
        return { backend: fromEffect(service, { root, ...noTimeouts }), direct: directFs(nodeFs, root) }
      })
    ))

  for (const calls of ["sync", "async"] as const)
    it(`@platformatic/vfs's memory provider, ${calls}`, () =>
      agree(async () => {
        const provider = new MemoryProvider()
        return { backend: fromVfs(provider, { calls, ...noTimeouts }), direct: directFs(providerFs(provider)) }
      }))

  it("just-bash's filesystem in memory", () =>
    agree(async () => {
      const fs = new InMemoryFs()
      // It starts with directories of its own, which the steps do not touch.
      return {
        backend: fromJustBash(fs, noTimeouts),
        direct: {
          readFile: (file) => fs.readFile(file),
          writeFile: (file, text) => fs.writeFile(file, text),
          mkdir: (file) => fs.mkdir(file),
          rmdir: (file) => fs.rm(file),
          unlink: (file) => fs.rm(file),
          rename: (file, to) => fs.mv(file, to),
          symlink: (target, file) => fs.symlink(target, file),
          readlink: (file) => fs.readlink(file),
          readdir: (file) => fs.readdir(file),
          lstat: async (file) => {
            const { isDirectory: directory, isSymbolicLink, size } = await fs.lstat(file)
            return directory ? "directory" : isSymbolicLink ? "link" : `file of ${size}`
          }
        }
      }
    }))
})

/** A provider that is called directly, with Buffers, as its types have it. */
const providerFs = (provider: MemoryProvider): FsLike => ({
  stat: (file) => provider.stat(file),
  lstat: (file) => provider.lstat(file),
  readdir: (file) => provider.readdir(file),
  readFile: (file) => provider.readFile(file),
  writeFile: (file, data) => provider.writeFile(file, Buffer.from(data)),
  mkdir: (file) => provider.mkdir(file),
  rmdir: (file) => provider.rmdir(file),
  unlink: (file) => provider.unlink(file),
  rename: (file, to) => provider.rename(file, to),
  symlink: (target, file) => provider.symlink(target, file),
  readlink: (file) => provider.readlink(file)
})

/** A rename that takes a symbolic link for itself. */
const renameIn =
  (fs: FsLike) =>
  async (file: string, to: string): Promise<void> => {
    const stats = await fs.lstat?.(file)
    if (stats?.isSymbolicLink() !== true) return void (await fs.rename?.(file, to))
    await fs.symlink?.(String(await fs.readlink?.(file)), to)
    await fs.unlink?.(file)
  }
