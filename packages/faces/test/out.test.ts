/** A filesystem without a mount, in the shapes that Node has: each call beside the same call on a directory of the machine. */
import { assert, describe, it } from "@effect/vitest"
import { memory, passthrough, sqlite } from "@bickford/backends"
import { type BackendSource, Errno, Local } from "@bickford/session"
import { VirtualFileSystem, VirtualProvider } from "@platformatic/vfs"
import * as Effect from "effect/Effect"
import { FileSystem } from "effect/FileSystem"
import * as fc from "fast-check"
import { Bash } from "just-bash"
import * as nodeFs from "node:fs/promises"
import { join } from "node:path"
import {
  type FaceFs,
  fromFs,
  type Shared,
  share,
  toEffect,
  toEffectLayer,
  toFs,
  toJustBash,
  toVfs
} from "../src/index.ts"
import { withFolder } from "./folder.ts"

/** Shares `source`, and sees that nothing is held when all calls have ended. */
const withShared = async (source: BackendSource, body: (shared: Shared) => Promise<void>): Promise<void> => {
  await using shared = await share(source)
  await body(shared)
  const { connection } = shared.session
  assert.strictEqual(connection.nodes.size, 0)
  assert.strictEqual(connection.handles.size, 0)
  assert.strictEqual(connection.counters.defects, 0)
}

type Fs = Pick<
  FaceFs,
  | "readFile"
  | "writeFile"
  | "appendFile"
  | "mkdir"
  | "rmdir"
  | "rm"
  | "unlink"
  | "rename"
  | "link"
  | "symlink"
  | "readlink"
  | "realpath"
  | "copyFile"
  | "truncate"
  | "chmod"
  | "access"
>
type Call = keyof Fs | "list" | "look" | "open"

interface Step {
  readonly call: Call
  readonly at: string
  readonly to: string
  readonly text: string
  readonly size: number
  readonly recursive: boolean
}

const name = fc.constantFrom("a", "b", "c")
const path = fc.array(name, { minLength: 1, maxLength: 3 }).map((names) => `/${names.join("/")}`)
const step: fc.Arbitrary<Step> = fc.record({
  call: fc.constantFrom<Call>(
    "readFile",
    "writeFile",
    "writeFile",
    "appendFile",
    "mkdir",
    "mkdir",
    "rmdir",
    "rm",
    "unlink",
    "rename",
    "link",
    "symlink",
    "readlink",
    "realpath",
    "copyFile",
    "truncate",
    "chmod",
    "access",
    "list",
    "look",
    "open"
  ),
  at: path,
  to: path,
  text: fc.string({ maxLength: 40 }),
  size: fc.nat(50),
  recursive: fc.boolean()
})

/** A directory of the machine's own, or a face: what differs is where paths begin. */
interface Side {
  readonly fs: typeof nodeFs | FaceFs
  readonly root: string
}

const attempt = async (side: Side, one: Step): Promise<unknown> => {
  const { at, call, recursive, size, text, to } = one
  const { root } = side
  // Both have these calls in the same shape.
  const fs = side.fs as FaceFs
  const [from, dest] = [root + at, root + to]
  switch (call) {
    case "list":
      return (await fs.readdir(from, { withFileTypes: true }))
        .map((entry) => [entry.name, entry.isDirectory(), entry.isSymbolicLink(), entry.parentPath.slice(root.length)])
        .toSorted()
    case "look": {
      const [link, target] = [await fs.lstat(from), await fs.stat(from).catch(() => undefined)]
      return [link.mode, link.nlink, link.isFile() ? link.size : 0, target?.mode]
    }
    case "open": {
      const handle = await fs.open(from, recursive ? "r+" : "a+")
      try {
        await handle.write(Buffer.from(text), 0, null, size)
        const { bytesRead, buffer } = await handle.read(Buffer.alloc(64), 0, 64, 0)
        await handle.truncate(size)
        return [
          bytesRead,
          Buffer.from(buffer).toString("latin1"),
          (await handle.stat()).size,
          await handle.readFile("latin1")
        ]
      } finally {
        await handle.close()
      }
    }
    case "copyFile":
      // Of a directory libuv opens the copy first, and removes it again.
      if ((await fs.stat(from)).isDirectory()) return "a directory"
      return fs.copyFile(from, dest)
    case "rename":
    case "link":
      return fs[call](from, dest)
    case "symlink":
      return fs.symlink(text === "" ? "a" : to.slice(1), from)
    case "writeFile":
    case "appendFile":
      return fs[call](from, text)
    case "mkdir":
      return (await fs.mkdir(from, { recursive }))?.slice(root.length)
    case "rm":
      return fs.rm(from, { recursive, force: size > 25 })
    case "truncate":
      return fs.truncate(from, size)
    case "chmod":
      return fs.chmod(from, 0o700 + (size & 7))
    case "readFile":
      return (await fs.readFile(from)).toString("latin1")
    case "realpath":
      return (await fs.realpath(from)).slice(root.length)
    case "rmdir":
    case "unlink":
    case "readlink":
    case "access":
      return fs[call](from)
  }
}

/** What a call comes to, in a form that both sides have. */
const outcome = async (side: Side, one: Step): Promise<unknown> =>
  attempt(side, one).then(
    (value) => ({ value: value ?? null }),
    (error: NodeJS.ErrnoException) =>
      // Node's own way through the directories above tells of one link in them, and of another error.
      one.call === "mkdir" && one.recursive
        ? { failed: true }
        : {
            code: error.code?.replace("ERR_FS_EISDIR", "EISDIR"),
            syscall: one.call === "rm" || one.call === "open" || one.call === "copyFile" ? undefined : error.syscall,
            path:
              one.call === "rm" || one.call === "copyFile"
                ? undefined
                : error.path?.slice(one.call === "symlink" ? 0 : side.root.length)
          }
  )

const agrees = (source: (folder: string) => BackendSource) =>
  withFolder((folder) =>
    fc.assert(
      fc.asyncProperty(fc.array(step, { maxLength: 40 }), async (steps) => {
        const root = await nodeFs.mkdtemp(join(folder, "run-"))
        const behind = await nodeFs.mkdtemp(join(folder, "behind-"))
        await nodeFs.chmod(root, 0o755)
        await withShared(source(behind), async (shared) => {
          const face: Side = { fs: toFs(shared), root: "" }
          for (const one of steps)
            assert.deepStrictEqual(
              await outcome(face, one),
              await outcome({ fs: nodeFs, root }, one),
              JSON.stringify(one)
            )
        })
      }),
      { numRuns: 40 }
    )
  )

describe("a face does as node:fs/promises does on a directory", () => {
  it("memory", () => agrees(() => memory()))
  it("sqlite", () => agrees((folder) => sqlite(join(folder, "store"))))
  it("passthrough", () => agrees((folder) => passthrough(folder)))
})

/** Every face of one filesystem, as the same four calls. */
const facesOf = (shared: Shared) => {
  const fs = toFs(shared)
  const effect = toEffect(shared)
  const vfs = new VirtualFileSystem(toVfs(shared, VirtualProvider), { moduleHooks: false })
  vfs.mount("/virtual")
  const bash = new Bash({ fs: toJustBash(shared) })
  return {
    fs: {
      write: (at: string, text: string) => fs.writeFile(at, text),
      read: (at: string) => fs.readFile(at, "utf8"),
      list: (at: string) => fs.readdir(at),
      remove: (at: string) => fs.unlink(at)
    },
    effect: {
      write: (at: string, text: string) => Effect.runPromise(effect.writeFileString(at, text)),
      read: (at: string) => Effect.runPromise(effect.readFileString(at)),
      list: (at: string) => Effect.runPromise(effect.readDirectory(at)),
      remove: (at: string) => Effect.runPromise(effect.remove(at))
    },
    vfs: {
      write: async (at: string, text: string) => vfs.writeFileSync(`/virtual${at}`, text),
      read: async (at: string) => vfs.readFileSync(`/virtual${at}`, "utf8"),
      list: async (at: string) => vfs.readdirSync(`/virtual${at}`),
      remove: async (at: string) => vfs.unlinkSync(`/virtual${at}`)
    },
    justBash: {
      write: async (at: string, text: string) => {
        const { exitCode, stderr } = await bash.exec(`printf %s '${text}' > ${at}`)
        assert.strictEqual(exitCode, 0, stderr)
      },
      read: async (at: string) => (await bash.exec(`cat ${at}`)).stdout,
      list: async (at: string) => (await bash.exec(`ls -A ${at}`)).stdout.split("\n").filter((line) => line !== ""),
      remove: async (at: string) => {
        assert.strictEqual((await bash.exec(`rm ${at}`)).exitCode, 0)
      }
    }
  }
}

describe("two faces of one store", () => {
  it("each sees at once what the other did", () =>
    withFolder((folder) =>
      withShared(sqlite(join(folder, "store")), async (shared) => {
        const faces = Object.entries(facesOf(shared))
        await toFs(shared).mkdir("/d")
        for (const [from, writer] of faces)
          for (const [to, reader] of faces) {
            await writer.write("/d/file", `${from} to ${to}`)
            assert.strictEqual(await reader.read("/d/file"), `${from} to ${to}`)
            assert.deepStrictEqual([...(await reader.list("/d"))], ["file"])
            await reader.remove("/d/file")
            assert.deepStrictEqual([...(await writer.list("/d"))], [])
          }
      })
    ))

  it("what was written is there again in a store that is opened anew", () =>
    withFolder(async (folder) => {
      const source = sqlite(join(folder, "store"))
      await withShared(source, (shared) => toFs(shared).writeFile("/file", "kept"))
      await withShared(source, async (shared) => {
        assert.strictEqual(await toFs(shared).readFile("/file", "utf8"), "kept")
      })
    }))
})

describe("an open file", () => {
  for (const [kind, source] of [
    ["memory", memory()],
    ["memory that opens files itself", memory({ opens: true })]
  ] as const)
    it(`lives until it is closed, in ${kind}`, () =>
      withShared(source, async (shared) => {
        const fs = toFs(shared)
        const handle = await fs.open("/file", "w+")
        await handle.writeFile("text")
        await fs.unlink("/file")
        assert.strictEqual((await handle.stat()).nlink, 0)
        assert.strictEqual((await handle.read(Buffer.alloc(4), 0, 4, 0)).bytesRead, 4)
        await handle.close()
        await handle.read(Buffer.alloc(4), 0, 4, 0).then(
          () => assert.fail("read from a closed file"),
          ({ code }) => assert.strictEqual(code, "EBADF")
        )
      }))
})

describe("Effect's FileSystem", () => {
  it("has a program's service by a layer, with streams, temporary files and Node's errors behind its own", () =>
    withShared(memory(), async (shared) => {
      const program = Effect.scoped(
        Effect.gen(function* () {
          const fs = yield* FileSystem
          yield* fs.makeDirectory("/tmp/deep", { recursive: true })
          const directory = yield* fs.makeTempDirectoryScoped()
          const file = yield* fs.open(`${directory}/file`, { flag: "w+" })
          yield* file.writeAll(Buffer.from("one two"))
          yield* file.seek(4n, "start")
          const read = yield* file.readAlloc(10)
          assert.strictEqual(read._tag === "Some" ? Buffer.from(read.value).toString() : "", "two")
          yield* fs.copy(directory, "/copy")
          const missing = yield* Effect.flip(fs.stat("/missing"))
          assert.strictEqual(missing.reason._tag, "NotFound")
          return yield* fs.readFileString("/copy/file")
        })
      )
      assert.strictEqual(await Effect.runPromise(Effect.provide(program, toEffectLayer(shared))), "one two")
      assert.deepStrictEqual(await toFs(shared).readdir("/tmp"), ["deep"])
    }))
})

describe("a provider", () => {
  it("is an instance of the class that its library asks for", () =>
    withShared(memory(), async (shared) => {
      const provider = toVfs(shared, VirtualProvider)
      assert.instanceOf(provider, VirtualProvider)
      provider.writeFileSync("/module.js", "text")
      assert.strictEqual(provider.internalModuleStat("/module.js"), 0)
      assert.strictEqual(provider.internalModuleStat("/"), 1)
      assert.isBelow(provider.internalModuleStat("/missing"), 0)
      assert.throws(() => provider.statSync("/missing"), /ENOENT: no such file or directory, stat '\/missing'/)
    }))

  it("throws EAGAIN where an answer would have to be waited for", () =>
    withShared(
      {
        ...memory(),
        getattr: () =>
          Effect.andThen(
            Effect.promise(() => Promise.resolve()),
            Errno.EIO
          )
      },
      async (shared) => {
        assert.throws(() => toVfs(shared).statSync("/"), /EAGAIN/)
      }
    ))
})

describe("a face of a face", () => {
  it("is what fromFs makes of toFs", () =>
    withShared(memory(), async (inner) => {
      await toFs(inner).writeFile("/file", "text")
      await withShared(fromFs(toFs(inner)), async (outer) => {
        assert.strictEqual(await toFs(outer).readFile("/file", "utf8"), "text")
        await toFs(outer).rename("/file", "/moved")
        assert.deepStrictEqual(await toFs(inner).readdir("/"), ["moved"])
      })
    }))
})

describe("permissions", () => {
  it("are those of the caller, by owner, group, mode and the sticky bit", () =>
    Effect.runPromise(
      Effect.scoped(
        Effect.gen(function* () {
          const kernel = yield* Local.localKernel(memory())
          const as = (uid: number, gid: number, groups: ReadonlyArray<number> = []) =>
            Local.localCalls({ kernel, rules: Local.rulesFor(kernel, { uid, gid, groups }) })
          const [root, user, member] = [as(0, 0), as(1000, 1000), as(1001, 1001, [7])]
          const refused = <A>(call: Effect.Effect<A, { readonly _tag: string }>) =>
            Effect.match(call, { onFailure: (error) => error._tag, onSuccess: () => "done" })
          yield* root.mkdir("/shared", 0o755)
          yield* root.chmod("/shared", 0o1777)
          yield* root.writeFile("/shared/secret", "text", 0o600)
          yield* root.writeFile("/shared/group", "text", 0o640)
          yield* root.chown("/shared/group", 0, 7)
          yield* root.mkdir("/closed", 0o700)
          assert.strictEqual(yield* refused(user.readFile("/shared/secret")), "EACCES")
          assert.strictEqual(yield* refused(user.unlink("/shared/secret")), "EPERM")
          assert.strictEqual(yield* refused(user.stat("/closed/x")), "EACCES")
          assert.strictEqual(yield* refused(user.chmod("/shared/secret", 0o666)), "EPERM")
          assert.strictEqual(yield* refused(user.mkdir("/new")), "EACCES")
          assert.strictEqual(yield* refused(user.readFile("/shared/group")), "EACCES")
          assert.strictEqual(yield* refused(member.readFile("/shared/group")), "done")
          assert.strictEqual(yield* refused(member.writeFile("/shared/group", "x")), "EACCES")
          assert.strictEqual(yield* refused(member.access("/shared/group", 2)), "EACCES")
        })
      )
    ))
})
