/** Nodes and paths: what the kernel holds and what the callbacks are asked for stay one. */
import { assert, describe, it } from "@effect/vitest"
import type { DirentPlus } from "@bickford/protocol"
import { Errno, type ErrnoError, type RequestContext } from "@bickford/session"
import { type FakeKernel, requestContext } from "@bickford/session/testing"
import * as Deferred from "effect/Deferred"
import * as Effect from "effect/Effect"
import * as Exit from "effect/Exit"
import * as Logger from "effect/Logger"
import { later, memoryCallbacks } from "../../../../test/path/memoryPaths.ts"
import { fileType, type PathCallbacks, PathFilesystem, readOnly } from "../../src/index.ts"
import { drive } from "./drive.ts"

const outcome = <A, E extends { readonly _tag: string }>(effect: Effect.Effect<A, E>) =>
  Effect.match(effect, { onFailure: (error) => error._tag, onSuccess: () => "ok" })

const header = { unique: 2, nodeid: 1, uid: 0, gid: 0, pid: 1 }

describe("answers", () => {
  it("a callback's value is an answer without a fiber, in every operation", () => {
    const backend = PathFilesystem.make(memoryCallbacks())
    const context = requestContext()
    const at = (made: Effect.Effect<unknown, ErrnoError> | undefined): unknown => {
      assert.isTrue(Exit.isExit(made))
      return Exit.isExit(made) && Exit.isSuccess(made) ? made.value : assert.fail(String(made))
    }
    const creation = { ...header, mode: 0o644, umask: 0, flags: 2, openFlags: 0 }
    at(backend.create?.({ op: "create", ...creation, name: "file" }, context))
    at(backend.mkdir?.({ op: "mkdir", ...creation, name: "folder" }, context))
    at(backend.lookup?.({ op: "lookup", ...header, name: "file" }, context))
    at(backend.rename?.({ op: "rename", ...header, name: "file", newdir: 3, newname: "moved", flags: 1 }, context))
    at(backend.link?.({ op: "link", ...header, oldnodeid: 2, newname: "link" }, context))
    at(backend.unlink?.({ op: "unlink", ...header, name: "link" }, context))
    at(backend.getattr?.({ op: "getattr", ...header, fh: 0, getattrFlags: 0 }, context))
    at(backend.opendir?.({ op: "opendir", ...header, flags: 0, openFlags: 0 }, context))
    at(
      backend.write?.(
        {
          op: "write",
          ...header,
          nodeid: 2,
          fh: 1,
          offset: 0,
          size: 1,
          writeFlags: 0,
          lockOwner: 0,
          flags: 0,
          data: Buffer.from("x")
        },
        context
      )
    )
    at(
      backend.read?.(
        { op: "read", ...header, nodeid: 2, fh: 1, offset: 0, size: 1, readFlags: 0, lockOwner: 0, flags: 0 },
        context
      )
    )
    at(backend.statfs?.({ op: "statfs", ...header }, context))
    at(
      backend.release?.(
        { op: "release", ...header, nodeid: 2, fh: 1, flags: 0, releaseFlags: 0, lockOwner: 0 },
        context
      )
    )
  })

  const fails: { readonly [how: string]: readonly [() => unknown, string] } = {
    "an Errno thrown": [
      () => {
        throw Errno.EACCES
      },
      "EACCES"
    ],
    "an Errno answered": [() => Errno.EMLINK, "EMLINK"],
    "an Effect that fails with an Errno": [() => Effect.andThen(Effect.yieldNow, Errno.EDQUOT), "EDQUOT"],
    "an Effect that fails with a number": [() => Effect.fail(18), "EXDEV"],
    "an Effect that fails with Node's error later": [
      () => Effect.andThen(Effect.yieldNow, Effect.fail(Object.assign(new Error("x"), { code: "EROFS" }))),
      "EROFS"
    ],
    "a Promise rejected with Node's error": [
      () => Promise.reject(Object.assign(new Error("x"), { code: "ENOSPC" })),
      "ENOSPC"
    ],
    "Node's error with a number only": [
      () => {
        throw Object.assign(new Error("x"), { errno: -40 })
      },
      "ELOOP"
    ],
    "a second name of an errno": [
      () => {
        throw Object.assign(new Error("x"), { code: "EWOULDBLOCK" })
      },
      "EAGAIN"
    ],
    "a number thrown": [
      () => {
        throw 28
      },
      "ENOSPC"
    ],
    false: [() => false, "ENOENT"],
    "a bug": [
      () => {
        throw new Error("a bug")
      },
      "EIO"
    ],
    "an error that is none of the system's": [
      () => Promise.reject(Object.assign(new Error("x"), { code: "ERR_X" })),
      "EIO"
    ],
    "an Errno that an async function returns": [() => Promise.resolve(Errno.EPERM), "EPERM"],
    nonsense: [() => "text", "EIO"]
  }
  for (const [how, [getattr, errno]] of Object.entries(fails)) {
    it.live(`${how} is ${errno}`, () =>
      Effect.gen(function* () {
        // As a callback in JavaScript may answer.
        const { lookup } = yield* drive({ getattr: getattr as PathCallbacks["getattr"] })
        assert.strictEqual(yield* outcome(lookup(1, "x")), errno)
      })
    )
  }

  it.live("false is ENOENT of whatever callback, however it comes", () =>
    Effect.gen(function* () {
      const no = (): false => false
      for (const answer of [
        no,
        () => Promise.resolve(false),
        () => Effect.andThen(Effect.yieldNow, Effect.succeed(false))
      ]) {
        // As callbacks in JavaScript may answer.
        const refusing = Object.fromEntries(["mkdir", "open", "chmod"].map((name) => [name, answer])) as Partial<
          PathCallbacks<unknown>
        >
        const { create, mkdir, open, setattr } = yield* drive({
          ...(memoryCallbacks() as PathCallbacks<unknown>),
          ...refusing
        })
        const { nodeid } = yield* create(1, "file")
        assert.strictEqual(yield* outcome(mkdir(1, "dir")), "ENOENT")
        assert.strictEqual(yield* outcome(open(nodeid)), "ENOENT")
        assert.strictEqual(yield* outcome(setattr(nodeid, 1, { mode: 0o600 })), "ENOENT")
        const other = yield* drive({ ...(memoryCallbacks() as PathCallbacks<unknown>), unlink: answer as () => void })
        yield* other.kernel.call({ op: "mknod", nodeid: 1, name: "file", mode: 0o100644, rdev: 0, umask: 0 })
        assert.strictEqual(yield* outcome(other.unlink(1, "file")), "ENOENT")
        assert.deepStrictEqual(yield* other.names(1), ["file"])
      }
    })
  )

  type Driven = Effect.Success<ReturnType<typeof drive>>
  const opened = ({ create }: Driven) => Effect.map(create(1, "file"), ({ fh, nodeid }) => [nodeid, fh] as const)
  const reading = (driven: Driven) => Effect.flatMap(opened(driven), ([nodeid, fh]) => driven.read(nodeid, fh))
  const writing = (driven: Driven) => Effect.flatMap(opened(driven), ([nodeid, fh]) => driven.write(nodeid, fh, "text"))
  const looking = ({ lookup }: Driven) => lookup(1, "file")
  const seeking = (driven: Driven) =>
    Effect.flatMap(opened(driven), ([nodeid, fh]) =>
      driven.kernel.call({ op: "lseek", nodeid, fh, offset: 0, whence: 3 })
    )
  const asking = (driven: Driven) =>
    Effect.flatMap(opened(driven), ([nodeid, fh]) =>
      driven.kernel.call({
        op: "ioctl",
        nodeid,
        fh,
        flags: 0,
        cmd: 0x1234,
        arg: 0,
        inSize: 0,
        outSize: 4,
        data: new Uint8Array(0)
      })
    )
  const followed = ({ kernel, lookup }: Driven) =>
    Effect.flatMap(kernel.call({ op: "symlink", nodeid: 1, name: "link", target: "there" }), () =>
      Effect.flatMap(lookup(1, "link"), (nodeid) => kernel.call({ op: "readlink", nodeid }))
    )
  const regular = fileType.reg | 0o644

  const attributeNames = ["size", "nlink", "uid", "gid", "ino", "rdev", "blocks", "atime", "mtime", "ctime"]

  /** By callback: what it answers, the call that asks it, and what the log's sentence says. */
  const wrong: ReadonlyArray<
    readonly [
      keyof PathCallbacks,
      unknown,
      (driven: Driven) => Effect.Effect<unknown, ErrnoError | FakeKernel.FakeKernelError>,
      RegExp
    ]
  > = [
    ["getattr", undefined, looking, /getattr for \/file answered undefined; expected: an object with a mode/],
    ["getattr", null, looking, /answered null; expected: an object with a mode/],
    ["getattr", [regular, 1], looking, /answered an array/],
    ["getattr", { size: 5 }, looking, /answered attributes without a mode/],
    ["getattr", { mode: 0o644 }, looking, /answered mode as a number, 420, in which there is no file's type/],
    [
      "getattr",
      { mode: regular, size: "12" },
      looking,
      /answered size as the string "12", which is not a whole number/
    ],
    ["getattr", { mode: regular, size: -1 }, looking, /answered size as a number, -1/],
    ["getattr", { mode: regular, size: Number.NaN }, looking, /answered size as a number, NaN/],
    ["getattr", { mode: regular, uid: -1 }, looking, /answered uid as a number, -1/],
    [
      "getattr",
      { mode: regular, mtime: "today" },
      looking,
      /answered mtime as the string "today", which is not a Date/
    ],
    ["getattr", { mode: regular, mtime: new Date("never") }, looking, /answered mtime as an object of Date/],
    ...attributeNames.map(
      (name) => ["getattr", { mode: regular, [name]: [] }, looking, new RegExp(`answered ${name} as an array`)] as const
    ),
    ["readdir", 5, ({ names }) => names(1), /readdir for \/ answered a number, 5; expected: the names/],
    ["readdir", "abc", ({ names }) => names(1), /answered the string "abc"/],
    ["readdir", ["a", 7], ({ names }) => names(1), /answered a number, 7 among the names/],
    ["readdir", ["a/b"], ({ names }) => names(1), /answered the string "a\/b" among the names/],
    [
      "read",
      undefined,
      reading,
      /read for \/file answered undefined; expected: a Uint8Array, a string, or how many bytes/
    ],
    ["read", 4097, reading, /answered a number, 4097, where there are 4096 bytes/],
    ["read", -5, reading, /answered a number, -5, where/],
    ["read", 1.5, reading, /answered a number, 1.5, where/],
    ["read", ["x"], reading, /answered an array/],
    [
      "write",
      5,
      writing,
      /write for \/file answered a number, 5, where there are 4 bytes; expected: how many bytes were written/
    ],
    ["write", "text", writing, /answered the string "text"/],
    ["readlink", 5, followed, /readlink for \/link answered a number, 5; expected: the link's target/],
    ["lseek", "end", seeking, /lseek for \/file answered the string "end"; expected: an offset/],
    ["ioctl", "text", asking, /ioctl for \/file answered the string "text"; expected: a Uint8Array/],
    [
      "statfs",
      { blocks: "many" },
      ({ kernel }) => kernel.call({ op: "statfs" }),
      /statfs for \/ answered blocks as the string "many"/
    ],
    [
      "getxattr",
      5,
      ({ getxattr }) => getxattr(1, "user.x"),
      /getxattr for \/ answered a number, 5; expected: a Uint8Array or a string/
    ],
    [
      "listxattr",
      5,
      ({ kernel }) => kernel.call({ op: "listxattr", nodeid: 1, size: 4096 }),
      /listxattr for \/ answered a number, 5; expected: the attributes' names/
    ]
  ]

  for (const [how, brings] of [
    ["", (answer: unknown) => answer],
    ["a Promise of ", (answer: unknown) => Promise.resolve(answer)]
  ] as const) {
    it.live(
      `${how}what is no answer is EIO, and one sentence in the log`,
      () =>
        Effect.gen(function* () {
          for (const [callback, answer, call, sentence] of wrong) {
            const said: Array<string> = []
            const logger = Logger.layer([Logger.make(({ message }) => void said.push(String(message)))])
            const all = memoryCallbacks() as PathCallbacks<unknown>
            // As a callback in JavaScript may answer.
            const given =
              callback === "getattr"
                ? {
                    getattr: ((path, context) =>
                      path === "/" ? all.getattr(path, context) : brings(answer)) as PathCallbacks["getattr"]
                  }
                : { [callback]: () => brings(answer) }
            const failed = yield* Effect.scoped(
              Effect.flatMap(drive({ ...all, ...given }), (driven) => outcome(call(driven)))
            ).pipe(Effect.provide(logger))
            assert.strictEqual(failed, "EIO", `${callback}: ${String(answer)}`)
            assert.strictEqual(said.length, 1, said.join("\n"))
            assert.match(said[0] ?? "", sentence)
            assert.match(said[0] ?? "", /^the callback /)
          }
        }),
      120_000
    )
  }

  it.live("fgetattr, fgetxattr and flistxattr are asked likewise, of a removed file", () =>
    Effect.gen(function* () {
      const said: Array<string> = []
      const logger = Logger.layer([Logger.make(({ message }) => void said.push(String(message)))])
      const nonsense = (): never => 5 as never
      const all = {
        ...(memoryCallbacks() as PathCallbacks<unknown>),
        fgetattr: nonsense,
        fgetxattr: nonsense,
        flistxattr: nonsense,
        getxattr: () => "",
        listxattr: () => []
      }
      yield* Effect.gen(function* () {
        const { create, getattr, getxattr, kernel, unlink } = yield* drive(all)
        const { nodeid } = yield* create(1, "file")
        yield* unlink(1, "file")
        assert.strictEqual(yield* outcome(getattr(nodeid)), "EIO")
        assert.strictEqual(yield* outcome(getxattr(nodeid, "user.x")), "EIO")
        assert.strictEqual(yield* outcome(kernel.call({ op: "listxattr", nodeid, size: 4096 })), "EIO")
      }).pipe(Effect.scoped, Effect.provide(logger))
      assert.deepStrictEqual(
        said.map((sentence) => sentence.split(" answered a number, 5; expected: ")[0]),
        [
          "the callback fgetattr for a removed file",
          "the callback fgetxattr for a removed file",
          "the callback flistxattr for a removed file"
        ]
      )
    })
  )

  it.live("read answers a string, bytes, or how many bytes of its buffer it filled", () =>
    Effect.gen(function* () {
      const reads: { readonly [how: string]: readonly [NonNullable<PathCallbacks["read"]>, string] } = {
        "a string": [() => "text", "text"],
        bytes: [() => Buffer.from("text"), "text"],
        "a size": [(_handle, _size, _offset, _path, _context, buffer) => Buffer.from("texts").copy(buffer) - 1, "text"],
        "a size, later": [
          async (_handle, _size, _offset, _path, _context, buffer) => Buffer.from("text").copy(buffer),
          "text"
        ],
        "a size, of a wrapper": [(...given) => Buffer.from("text").copy(given[5]), "text"],
        "a size and no more": [(_handle, size) => Math.min(size, 4), "\0\0\0\0"],
        nothing: [() => 0, ""]
      }
      for (const [how, [read, expected]] of Object.entries(reads)) {
        const driven = yield* drive({ ...(memoryCallbacks() as PathCallbacks<unknown>), read })
        assert.strictEqual(yield* reading(driven), expected, how)
      }
    })
  )

  it.live("write answers how much it took; undefined and true are all of it", () =>
    Effect.gen(function* () {
      for (const [answer, expected] of [
        [2, 2],
        [0, 0],
        [undefined, 4],
        [true, 4]
      ] as const) {
        const driven = yield* drive({
          ...(memoryCallbacks() as PathCallbacks<unknown>),
          write: () => answer as number | void
        })
        assert.strictEqual(yield* writing(driven), expected)
      }
    })
  )

  it.live("a listing may be a generator, which may fail, and may have . and ..", () =>
    Effect.gen(function* () {
      const listing = function* () {
        yield* [".", "..", "file"]
      }
      const failing = function* () {
        yield "file"
        throw Errno.EACCES
      }
      const { opendir, readdir } = yield* drive({ getattr: () => ({ mode: fileType.dir | 0o755 }), readdir: listing })
      assert.deepStrictEqual(
        (yield* readdir(1, yield* opendir(1))).map(({ name }) => name),
        [".", "..", "file"]
      )
      const other = yield* drive({ getattr: () => ({ mode: fileType.dir | 0o755 }), readdir: failing })
      assert.strictEqual(yield* outcome(other.names(1)), "EACCES")
    })
  )

  it("make refuses what is no function, and isFilesystem knows what it gave", () => {
    const getattr = (): false => false
    assert.throws(() => PathFilesystem.make({} as PathCallbacks), /getattr is undefined; expected: a function$/)
    assert.throws(
      () => PathFilesystem.make({ getattr, read: "text" as never }),
      /read is the string "text"; expected: a function, or undefined/
    )
    const filesystem = PathFilesystem.make({ getattr, read: undefined as never })
    assert.isTrue(PathFilesystem.isFilesystem(filesystem))
    for (const other of [readOnly(filesystem), { getattr }, {}, "text", undefined, null])
      assert.isFalse(PathFilesystem.isFilesystem(other))
  })

  it.live("the caller's context comes last", () =>
    Effect.gen(function* () {
      const seen: Array<RequestContext> = []
      const { kernel } = yield* drive({
        ...memoryCallbacks(),
        mkdir: (_path, _mode, context) => {
          seen.push(context)
          throw Errno.EPERM
        }
      })
      yield* outcome(kernel.call({ op: "mkdir", uid: 7, gid: 8, name: "x", mode: 0o755, umask: 0 }))
      assert.deepStrictEqual(
        seen.map(({ gid, uid }) => [uid, gid]),
        [[7, 8]]
      )
    })
  )
})

describe("nodes", () => {
  for (const [kind, wrap] of [
    ["values", <H>(callbacks: PathCallbacks<H>) => callbacks],
    ["Promises", later]
  ] as const) {
    it.live(`follow renames of folders above, exchanges and links (${kind})`, () =>
      Effect.gen(function* () {
        const asked: Array<string> = []
        const callbacks = wrap(memoryCallbacks())
        const { create, getattr, link, lookup, mkdir, rename, unlink } = yield* drive({
          ...callbacks,
          getattr: (path, context) => {
            asked.push(path)
            return callbacks.getattr(path, context)
          }
        })
        const pathOf = (nodeid: number | bigint) => Effect.map(getattr(nodeid), () => asked.at(-1))
        const a = yield* mkdir(1, "a")
        const b = yield* mkdir(a, "b")
        const { nodeid: file } = yield* create(b, "file")
        yield* rename(1, "a", 1, "c")
        assert.strictEqual(yield* pathOf(file), "/c/b/file")
        const d = yield* mkdir(1, "d")
        yield* rename(1, "c", d, "e")
        assert.strictEqual(yield* pathOf(file), "/d/e/b/file")
        const { nodeid: other } = yield* create(1, "other")
        yield* rename(1, "other", b, "file", 2)
        assert.deepStrictEqual([yield* pathOf(file), yield* pathOf(other)], ["/other", "/d/e/b/file"])
        assert.strictEqual(yield* link(file, b, "link"), file)
        assert.strictEqual((yield* getattr(file)).nlink, 2)
        yield* unlink(1, "other")
        assert.strictEqual(yield* pathOf(file), "/d/e/b/link")
        assert.strictEqual(yield* lookup(b, "link"), file)
        assert.strictEqual(yield* outcome(rename(1, "d", b, "inside")), "EINVAL")
        assert.strictEqual(yield* outcome(rename(b, "link", b, "file", 1)), "EEXIST")
        assert.strictEqual(yield* outcome(rename(b, "link", b, "free", 1)), "ok")
        assert.strictEqual(yield* outcome(rename(b, "free", b, "file", 4)), "EINVAL")
      })
    )
  }

  it.live(
    "hard links are one node again after the kernel has forgotten them; another file under a name is another node",
    () =>
      Effect.gen(function* () {
        const files = memoryCallbacks()
        const { create, kernel, link, lookup, release } = yield* drive(files)
        const { fh, nodeid: file } = yield* create(1, "file")
        yield* link(file, 1, "link")
        yield* release(file, fh)
        yield* kernel.forget(file, 2)
        const again = yield* lookup(1, "file")
        assert.notStrictEqual(again, file)
        assert.strictEqual(yield* lookup(1, "link"), again)
        // Not by way of the mount.
        const context = requestContext()
        files.unlink?.("/file", context)
        files.mknod?.("/file", fileType.reg | 0o600, 0, context)
        assert.notStrictEqual(yield* lookup(1, "file"), again)
        assert.strictEqual(yield* lookup(1, "link"), again)
        files.unlink?.("/file", context)
        assert.strictEqual(yield* outcome(lookup(1, "file")), "ENOENT")
      })
  )

  it.live("a directory gets no second name, which could lie below it", () =>
    Effect.gen(function* () {
      const { link, mkdir, names } = yield* drive(memoryCallbacks())
      const a = yield* mkdir(1, "a")
      for (const [directory, parent] of [
        [1, 1],
        [1, a],
        [a, a],
        [a, 1]
      ] as const) {
        assert.strictEqual(yield* outcome(link(directory, parent, "again")), "EPERM")
      }
      assert.deepStrictEqual(yield* names(1), ["a"])
    })
  )

  it.live("a listing is made anew when it is rewound, goes on where it was, and knows the numbers of known nodes", () =>
    Effect.gen(function* () {
      const { create, mkdir, opendir, readdir } = yield* drive(memoryCallbacks())
      const folder = yield* mkdir(1, "folder")
      for (let index = 0; index < 10; index++) yield* create(folder, `file${index}`)
      const fh = yield* opendir(folder)
      const part = yield* readdir(folder, fh, 0, 256)
      assert.isBelow(part.length, 12)
      const rest = yield* readdir(folder, fh, part.at(-1)?.off)
      assert.deepStrictEqual(
        [...part, ...rest].map(({ name }) => name),
        [".", "..", ...Array.from({ length: 10 }, (_, index) => `file${index}`)]
      )
      assert.deepStrictEqual(
        part.slice(0, 3).map(({ type }) => type),
        [4, 4, 8]
      )
      yield* create(folder, "new")
      assert.strictEqual((yield* readdir(folder, fh)).at(-1)?.name, "new")
    })
  )
})

describe("a listing with attributes", () => {
  const named = (entries: ReadonlyArray<DirentPlus>) => entries.filter(({ name }) => name !== "." && name !== "..")

  it.live("has what LOOKUP would answer, and each entry that fits counts as one", () =>
    Effect.gen(function* () {
      const { create, kernel, lookup, mkdir, opendir, readdirplus, release, session, write } =
        yield* drive(memoryCallbacks())
      const folder = yield* mkdir(1, "folder")
      for (let index = 0; index < 10; index++) {
        const { fh, nodeid } = yield* create(folder, `file${index}`)
        if (index === 3) yield* write(nodeid, fh, "text")
        yield* release(nodeid, fh)
        yield* kernel.forget(nodeid, 1)
      }
      const fh = yield* opendir(folder)
      const part = named(yield* readdirplus(folder, fh, 0, 1000))
      assert.isBelow(part.length, 10)
      const rest = yield* readdirplus(folder, fh, part.at(-1)?.off)
      const all = [...part, ...rest]
      assert.deepStrictEqual(
        all.map(({ name }) => name),
        Array.from({ length: 10 }, (_, index) => `file${index}`)
      )
      assert.strictEqual(all[3]?.entry?.attr.size, 4)
      assert.strictEqual(session.connection.nodes.size, 11)
      assert.strictEqual(yield* lookup(folder, "file3"), all[3]?.entry?.nodeid)
      yield* kernel.forget(all[3]?.entry?.nodeid ?? 0, 2)
      // The node is gone, and the next one of the file is another.
      assert.notStrictEqual(yield* lookup(folder, "file3"), all[3]?.entry?.nodeid)
    })
  )

  it.live("has none where `getattr` takes its time, whatever comes of it", () =>
    Effect.gen(function* () {
      const base = memoryCallbacks()
      let late = false
      const { create, getattr, opendir, readdirplus } = yield* drive({
        ...base,
        getattr: (path, context) => (late ? Promise.reject(Errno.EIO) : base.getattr(path, context))
      })
      yield* create(1, "file")
      yield* create(1, "other")
      late = true
      const fh = yield* opendir(1)
      // The first is tried, since the answer before it came at once.
      const entries = named(yield* readdirplus(1, fh))
      assert.deepStrictEqual(
        entries.map(({ entry, name }) => [name, entry]),
        [
          ["file", undefined],
          ["other", undefined]
        ]
      )
      late = false
      yield* getattr(1)
      assert.isDefined(named(yield* readdirplus(1, fh))[0]?.entry)
    })
  )

  it("is not offered where the kernel may keep no names", () => {
    assert.isUndefined(PathFilesystem.make(memoryCallbacks(), { entryTimeout: 0 }).readdirplus)
    assert.isDefined(PathFilesystem.make(memoryCallbacks()).readdirplus)
  })
})

describe("removed while it is open", () => {
  it.live("it is renamed, and goes when it is closed", () =>
    Effect.gen(function* () {
      const files = memoryCallbacks()
      const { create, getattr, mkdir, names, open, read, release, rename, rmdir, unlink, write } = yield* drive(files)
      const folder = yield* mkdir(1, "folder")
      const { fh, nodeid: file } = yield* create(folder, "file")
      yield* write(file, fh, "text")
      const second = yield* open(file)
      yield* unlink(folder, "file")
      assert.deepStrictEqual(yield* names(folder), [])
      assert.deepStrictEqual([(yield* getattr(file)).nlink, yield* read(file, fh)], [0, "text"])
      yield* rename(1, "folder", 1, "moved")
      yield* release(file, fh)
      assert.strictEqual(yield* read(file, second.fh), "text")
      yield* rmdir(1, "moved")
      yield* release(file, second.fh)
      // The same, by a rename over it.
      const one = yield* create(1, "one")
      const other = yield* create(1, "other")
      yield* write(one.nodeid, one.fh, "1")
      yield* rename(1, "other", 1, "one")
      assert.strictEqual(yield* read(one.nodeid, one.fh), "1")
      assert.deepStrictEqual(yield* names(1), ["one"])
      yield* release(one.nodeid, one.fh)
      yield* release(other.nodeid, other.fh)
      assert.deepStrictEqual(
        Array.from(yield* Effect.sync(() => files.readdir?.("/", requestContext()) as Iterable<string>)),
        ["one"]
      )
    })
  )

  it.live("a rename over it that fails gives it its name back", () =>
    Effect.gen(function* () {
      const files = memoryCallbacks()
      const { create, lookup, names, rename } = yield* drive({
        ...files,
        rename: (path, newPath, context) => {
          if (path === "/other") throw Errno.EPERM
          return files.rename?.(path, newPath, context)
        }
      })
      const one = yield* create(1, "one")
      yield* create(1, "other")
      assert.strictEqual(yield* outcome(rename(1, "other", 1, "one")), "EPERM")
      assert.strictEqual(yield* lookup(1, "one"), one.nodeid)
      assert.sameMembers(yield* names(1), ["one", "other"])
    })
  )

  it.live("with fgetattr it is removed, and lives on in its handles", () =>
    Effect.gen(function* () {
      const { create, getattr, mkdir, read, release, rmdir, setSize, unlink, write } = yield* drive(
        memoryCallbacks({ fgetattr: true })
      )
      const folder = yield* mkdir(1, "folder")
      const { fh, nodeid: file } = yield* create(folder, "file")
      yield* unlink(folder, "file")
      yield* rmdir(1, "folder")
      yield* write(file, fh, "text")
      yield* setSize(file, 2)
      assert.deepStrictEqual(
        [(yield* getattr(file)).nlink, (yield* getattr(file)).size, yield* read(file, fh)],
        [0, 2, "te"]
      )
      yield* release(file, fh)
      assert.strictEqual(yield* outcome(getattr(file)), "ESTALE")
    })
  )
})

describe("every open has one release", () => {
  it.live("also when what follows fails, when its caller has gone, and when the mount ends", () =>
    Effect.gen(function* () {
      const log: Array<string> = []
      const gate = yield* Deferred.make<void>()
      const files = memoryCallbacks({ log: (line) => log.push(line) })
      const memoryOpen = files.open ?? assert.fail()
      let failing = false
      yield* Effect.scoped(
        Effect.gen(function* () {
          const { create, kernel, session } = yield* drive({
            ...files,
            getattr: (path, context) => {
              if (failing && path !== "/") throw Errno.EACCES
              return files.getattr(path, context)
            },
            open: async (path, flags, context) => {
              await Effect.runPromise(Deferred.await(gate))
              const opened = memoryOpen(path, flags, context)
              return Effect.isEffect(opened) ? assert.fail() : opened
            },
            destroy: () => void log.push("destroy")
          })
          failing = true
          assert.strictEqual(yield* outcome(create(1, "unlucky")), "EACCES")
          assert.deepStrictEqual(log.splice(0), ["open /unlucky", "release /unlucky"])
          failing = false
          const { nodeid } = yield* create(1, "file")
          const given = yield* kernel.send({ op: "open", nodeid, flags: 0, openFlags: 0 })
          const kept = yield* kernel.send({ op: "open", nodeid, flags: 0, openFlags: 0 })
          yield* Effect.repeat(Effect.yieldNow, { until: () => session.connection.inFlight.size === 2 })
          session.connection.inFlight.get(given)?.fiber?.interruptUnsafe()
          assert.strictEqual((yield* kernel.reply(given)).error, 5)
          yield* Deferred.succeed(gate, undefined)
          assert.strictEqual((yield* kernel.reply(kept)).error, 0)
          yield* Effect.repeat(Effect.yieldNow, { until: () => log.length === 4 })
          assert.deepStrictEqual(log.splice(0).toSorted(), ["open /file", "open /file", "open /file", "release /file"])
        })
      )
      assert.deepStrictEqual(log, ["release /file", "release /file", "destroy"])
    })
  )
})

describe("paths in use", () => {
  /** `getattr` of one path waits until it is let go; renames are told of. */
  const gated = (slow: string) =>
    Effect.gen(function* () {
      const gate = yield* Deferred.make<void>()
      const entered = yield* Deferred.make<void>()
      const asked: Array<string> = []
      let waits = false
      const files = memoryCallbacks()
      const driven = yield* drive({
        ...files,
        getattr: (path, context) => {
          asked.push(`getattr ${path}`)
          if (!waits || path !== slow) return files.getattr(path, context)
          waits = false
          Deferred.doneUnsafe(entered, Effect.void)
          return Effect.andThen(
            Deferred.await(gate),
            Effect.suspend(() => Effect.succeed(files.getattr(path, context) as never))
          )
        },
        rename: (path, newPath, context) => {
          asked.push(`rename ${path} ${newPath}`)
          return files.rename?.(path, newPath, context)
        }
      })
      return {
        ...driven,
        gate,
        entered,
        asked,
        wait: () => {
          waits = true
        }
      }
    })

  it.live("a rename waits for who is at work below; who comes later waits for the rename; others do not wait", () =>
    Effect.gen(function* () {
      const { asked, create, entered, gate, getattr, kernel, mkdir, wait } = yield* gated("/a/file")
      const a = yield* mkdir(1, "a")
      const { nodeid: file } = yield* create(a, "file")
      const { nodeid: aside } = yield* create(1, "aside")
      wait()
      asked.length = 0
      const slow = yield* kernel.send({ op: "getattr", nodeid: file, getattrFlags: 0, fh: 0 })
      yield* Deferred.await(entered)
      const rename = yield* kernel.send({ op: "rename", nodeid: 1, name: "a", newdir: 1, newname: "b", flags: 0 })
      const after = yield* kernel.send({ op: "getattr", nodeid: file, getattrFlags: 0, fh: 0 })
      yield* getattr(aside)
      assert.deepStrictEqual(asked, ["getattr /a/file", "getattr /aside"])
      yield* Deferred.succeed(gate, undefined)
      for (const unique of [slow, rename, after]) assert.strictEqual((yield* kernel.reply(unique)).error, 0)
      assert.deepStrictEqual(asked, ["getattr /a/file", "getattr /aside", "rename /a /b", "getattr /b/file"])
    })
  )

  it.live("who waits and is stopped holds nobody up", () =>
    Effect.gen(function* () {
      const { asked, entered, gate, getattr, create, kernel, mkdir, session, wait } = yield* gated("/a/file")
      const a = yield* mkdir(1, "a")
      const { nodeid: file } = yield* create(a, "file")
      wait()
      yield* kernel.send({ op: "getattr", nodeid: file, getattrFlags: 0, fh: 0 })
      yield* Deferred.await(entered)
      const rename = yield* kernel.send({ op: "rename", nodeid: 1, name: "a", newdir: 1, newname: "b", flags: 0 })
      const waiting = yield* kernel.send({ op: "getattr", nodeid: a, getattrFlags: 0, fh: 0 })
      yield* Effect.repeat(Effect.yieldNow, { until: () => session.connection.inFlight.size === 3 })
      session.connection.inFlight.get(rename)?.fiber?.interruptUnsafe()
      assert.strictEqual((yield* kernel.reply(rename)).error, 5)
      assert.strictEqual((yield* kernel.reply(waiting)).error, 0)
      yield* Deferred.succeed(gate, undefined)
      yield* getattr(file)
      assert.notInclude(asked.join(), "rename")
    })
  )

  it.live("a name that was looked up while a rename to it went on is stale at its end, and is looked up again", () =>
    Effect.gen(function* () {
      const gate = yield* Deferred.make<void>()
      const renamed = yield* Deferred.make<void>()
      let name = "/old"
      const { kernel, lookup, open } = yield* drive({
        getattr: (path) => (path === "/" ? { mode: fileType.dir | 0o755 } : path === name && { mode: fileType.reg }),
        rename: (_path, to) => {
          name = to
          Deferred.doneUnsafe(renamed, Effect.void)
          return Deferred.await(gate)
        }
      })
      const old = yield* lookup(1, "old")
      const rename = yield* kernel.send({ op: "rename", nodeid: 1, name: "old", newdir: 1, newname: "new", flags: 0 })
      yield* Deferred.await(renamed)
      // A kernel whose caller was killed waits for no rename.
      const early = yield* lookup(1, "new")
      yield* Deferred.succeed(gate, undefined)
      assert.strictEqual((yield* kernel.reply(rename)).error, 0)
      assert.strictEqual(yield* outcome(open(early)), "ESTALE")
      assert.strictEqual(yield* lookup(1, "new"), old)
      assert.strictEqual(yield* outcome(open(old)), "ok")
    })
  )
})

describe("the number 0", () => {
  it.effect("is no file's: each has one of its own, and two with it are not one file", () =>
    Effect.gen(function* () {
      const { getattr, lookup, opendir, readdir } = yield* drive({
        getattr: (path) => ({ mode: (path === "/" ? fileType.dir : fileType.reg) | 0o644, size: 1, nlink: 2, ino: 0 }),
        readdir: () => ["one", "two"]
      })
      const one = yield* lookup(1, "one")
      const two = yield* lookup(1, "two")
      assert.notStrictEqual(one, two)
      assert.deepStrictEqual(
        [(yield* getattr(1)).ino, (yield* getattr(one)).ino, (yield* getattr(two)).ino],
        [1, one, two]
      )
      const entries = yield* readdir(1, yield* opendir(1))
      assert.deepStrictEqual(
        entries.map(({ ino }) => ino),
        [1, 1, one, two]
      )
    })
  )
})
