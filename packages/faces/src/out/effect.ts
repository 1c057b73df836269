/** A filesystem as Effect's `FileSystem` service. */
import type { PathChange } from "@bickford/backends"
import { openFlags } from "@bickford/protocol"
import * as ByteSize from "effect/ByteSize"
import * as Effect from "effect/Effect"
import * as FileSystem from "effect/FileSystem"
import * as Layer from "effect/Layer"
import * as Option from "effect/Option"
import * as Queue from "effect/Queue"
import { badArgument, type PlatformError, systemError, type SystemErrorTag } from "effect/PlatformError"
import type { Scope } from "effect/Scope"
import * as Stream from "effect/Stream"
import type { Attr } from "@bickford/protocol"
import { randomBytes } from "node:crypto"
import { flagsOf } from "./arguments.ts"
import { copyTree } from "./copyTree.ts"
import { HandleCalls } from "./FaceFileHandle.ts"
import { makeTemporary } from "./makeTemporary.ts"
import { type Called, nodeCalls, type NodeCalls } from "./NodeCalls.ts"
import type { NodeError } from "./NodeError.ts"
import type { Shared } from "./share.ts"
import { FaceBigIntStats } from "./stats.ts"
import { nameFrom } from "./watch.ts"

const { O_APPEND, O_CREAT, O_NOFOLLOW, O_TRUNC, O_WRONLY } = openFlags
const fileMode = 0o666
const directoryMode = 0o777
const module = "FileSystem"
/** Where temporary files are made, unless a directory is named. */
const temporary = "/tmp"

/** The service's words for errnos, as its Node implementation has them. */
const tags: { readonly [code: string]: SystemErrorTag } = {
  ENOENT: "NotFound",
  EACCES: "PermissionDenied",
  EPERM: "PermissionDenied",
  EEXIST: "AlreadyExists",
  EISDIR: "BadResource",
  ENOTDIR: "BadResource",
  ELOOP: "BadResource",
  EBUSY: "Busy"
}

/** A call of the service: its error is the service's, with Node's own behind it. */
const called = <A>(method: string, call: Called<A>): Effect.Effect<A, PlatformError> =>
  Effect.mapError(call, (cause: NodeError) => {
    const { code, path, syscall } = cause
    return systemError({
      _tag: tags[code] ?? "Unknown",
      module,
      method,
      syscall,
      ...(path !== undefined && { pathOrDescriptor: path }),
      cause
    })
  })

const typeOf = (of: {
  readonly isFile: () => boolean
  readonly isDirectory: () => boolean
  readonly isSymbolicLink: () => boolean
  readonly isBlockDevice: () => boolean
  readonly isCharacterDevice: () => boolean
  readonly isFIFO: () => boolean
  readonly isSocket: () => boolean
}): FileSystem.File.Type => {
  if (of.isFile()) return "File"
  if (of.isDirectory()) return "Directory"
  if (of.isSymbolicLink()) return "SymbolicLink"
  if (of.isBlockDevice()) return "BlockDevice"
  if (of.isCharacterDevice()) return "CharacterDevice"
  if (of.isFIFO()) return "FIFO"
  return of.isSocket() ? "Socket" : "Unknown"
}

const infoOf = (attr: Attr): FileSystem.File.Info => {
  const stats = new FaceBigIntStats(attr)
  return {
    type: typeOf(stats),
    mtime: Option.some(stats.mtime),
    atime: Option.some(stats.atime),
    birthtime: Option.none(),
    dev: stats.dev,
    ino: Option.some(stats.ino),
    mode: attr.mode,
    nlink: Option.some(stats.nlink),
    uid: Option.some(attr.uid),
    gid: Option.some(attr.gid),
    rdev: Option.some(stats.rdev),
    size: ByteSize.bytes(stats.size),
    blksize: Option.some(ByteSize.bytes(stats.blksize)),
    blocks: Option.some(stats.blocks)
  }
}

const refused = (method: string, description: string) => Effect.fail(badArgument({ module, method, description }))

/** An open file of the service. */
const fileOf = (calls: HandleCalls): FileSystem.File => {
  const read = (method: string, into: Uint8Array, options: FileSystem.File.ReadOptions | undefined) =>
    options?.position !== undefined && options.position < 0n
      ? refused(method, "Cannot read before the start of the file")
      : called(method, calls.read(into, options?.position))
  // What is appended goes to the end, and the position stays.
  const write = (method: string, bytes: Uint8Array) => called(method, calls.write(bytes, calls.appends ? 0 : null))
  return {
    [FileSystem.FileTypeId]: FileSystem.FileTypeId,
    stat: Effect.map(called("stat", calls.stat()), infoOf),
    seek: (offset, from) =>
      Effect.suspend(() => {
        const position = from === "start" ? Number(offset) : calls.position + Number(offset)
        if (position < 0) return refused("seek", "Cannot seek before the start of the file")
        calls.position = position
        return Effect.succeed(BigInt(position))
      }),
    sync: called("sync", calls.sync(false)),
    read: (buffer, options) => read("read", buffer, options),
    readAlloc: (size, options) =>
      Effect.suspend(() => {
        if (!Number.isInteger(size) || size < 0) return refused("readAlloc", "size must be a non-negative integer")
        const buffer = Buffer.alloc(size)
        return Effect.map(read("readAlloc", buffer, options), (length) =>
          length === 0 ? Option.none() : Option.some(buffer.subarray(0, length))
        )
      }),
    truncate: (length = 0) =>
      Effect.tap(called("truncate", calls.truncate(length)), () =>
        Effect.sync(() => {
          if (!calls.appends) calls.position = Math.min(calls.position, length)
        })
      ),
    write: (buffer) => write("write", buffer),
    writeAll: (buffer) => Effect.asVoid(write("writeAll", buffer))
  }
}

/** Temporary files and directories. */
const temporaryCalls = (
  calls: NodeCalls
): Pick<
  FileSystem.FileSystem,
  "makeTempDirectory" | "makeTempDirectoryScoped" | "makeTempFile" | "makeTempFileScoped"
> => {
  const directory = (
    method: string,
    options: { readonly directory?: string | undefined; readonly prefix?: string | undefined } = {}
  ) => called(method, makeTemporary(calls, `${options.directory ?? temporary}/${options.prefix ?? ""}`))
  const file = (
    method: string,
    options: {
      readonly directory?: string | undefined
      readonly prefix?: string | undefined
      readonly suffix?: string | undefined
    } = {}
  ) =>
    Effect.flatMap(directory(method, options), (above) => {
      const path = `${above}/${randomBytes(6).toString("hex")}${options.suffix ?? ""}`
      const made = calls.writeFile(path, new Uint8Array(0), O_WRONLY | O_CREAT | O_TRUNC, fileMode)
      return Effect.as(called(method, made), path)
    })
  const gone = (path: string): Effect.Effect<void> => Effect.orDie(calls.rm(path, { recursive: true, force: true }))
  return {
    makeTempDirectory: (options) => directory("makeTempDirectory", options),
    makeTempDirectoryScoped: (options) => Effect.acquireRelease(directory("makeTempDirectoryScoped", options), gone),
    makeTempFile: (options) => file("makeTempFile", options),
    makeTempFileScoped: (options) =>
      Effect.acquireRelease(file("makeTempFileScoped", options), (path) => gone(path.slice(0, path.lastIndexOf("/"))))
  }
}

/** Files by path. */
const fileCalls = (
  calls: NodeCalls
): Pick<
  FileSystem.FileSystem,
  "open" | "readFile" | "writeFile" | "copy" | "copyFile" | "truncate" | "readDirectory" | "readDirectoryEntries"
> => ({
  open: (path, options): Effect.Effect<FileSystem.File, PlatformError, Scope> => {
    const flags = flagsOf(options?.flag ?? "r") | (options?.noFollow === true ? O_NOFOLLOW : 0)
    const opened = Effect.map(
      calls.open(path, flags, options?.mode ?? fileMode),
      (handle) => new HandleCalls(handle, (flags & O_APPEND) !== 0)
    )
    return Effect.map(
      Effect.acquireRelease(called("open", opened), (handle) => Effect.ignore(handle.close())),
      fileOf
    )
  },
  readFile: (path) => called("readFile", calls.readFile(path, 0)),
  writeFile: (path, data, options) =>
    called("writeFile", calls.writeFile(path, data, flagsOf(options?.flag ?? "w"), options?.mode ?? fileMode)),
  copy: (from, to, options) => called("copy", copyTree(calls, from, to, options)),
  copyFile: (from, to) => called("copyFile", calls.copyFile(from, to)),
  truncate: (path, length) =>
    called("truncate", calls.truncate(path, length === undefined ? 0 : Number(ByteSize.fromInputUnsafe(length)))),
  readDirectory: (path, options) =>
    Effect.map(
      called("readDirectory", options?.recursive === true ? calls.readdirDeep(path) : calls.readdir(path)),
      (entries) =>
        entries.map(({ name, parentPath }) =>
          `${parentPath.slice(path.length).replace(/^\//, "")}/${name}`.replace(/^\//, "")
        )
    ),
  readDirectoryEntries: (path) =>
    Effect.map(called("readDirectoryEntries", calls.readdir(path)), (entries) =>
      entries.map((entry) => ({ name: entry.name, type: typeOf(entry) }))
    )
})

/** The bits of access(2) that `access` asks for. */
const maskOf = (options?: { readonly readable?: boolean | undefined; readonly writable?: boolean | undefined }) =>
  (options?.readable === true ? 4 : 0) | (options?.writable === true ? 2 : 0)

/** Changes below a path, or of a file, by whichever side they come. */
const watching =
  (shared: Shared, calls: NodeCalls): FileSystem.FileSystem["watch"] =>
  (path, options) =>
    Stream.callback<PathChange & { readonly name: string }, PlatformError>((queue) =>
      Effect.gen(function* () {
        const { watch } = shared
        if (watch === undefined)
          return yield* refused("watch", `${path}: the filesystem does not know its files' paths`)
        const watched = yield* called("watch", calls.realpath(path))
        yield* Effect.acquireRelease(
          Effect.sync(() =>
            watch((change) => {
              const name = nameFrom(watched, options?.recursive ?? false, change.path)
              if (name !== undefined) Queue.offerUnsafe(queue, { ...change, name })
            })
          ),
          (end) => Effect.sync(end)
        )
        options?.onReady?.()
      })
    ).pipe(
      Stream.mapEffect(({ kind, name, path: changed }) => {
        if (kind === "content") return Effect.succeed<FileSystem.WatchEvent>({ _tag: "Update", path: name })
        return Effect.match(calls.lstat(changed), {
          onSuccess: (): FileSystem.WatchEvent => ({ _tag: "Create", path: name }),
          onFailure: (): FileSystem.WatchEvent => ({ _tag: "Remove", path: name })
        })
      })
    )

/** The filesystem as Effect's service. */
export const toEffect = (shared: Shared): FileSystem.FileSystem => {
  const calls = nodeCalls(shared.calls)
  return FileSystem.make({
    ...fileCalls(calls),
    ...temporaryCalls(calls),
    access: (path, options) => called("access", calls.access(path, maskOf(options))),
    chmod: (path, mode) => called("chmod", calls.chmod(path, mode)),
    chown: (path, uid, gid) => called("chown", calls.chown(path, uid, gid)),
    link: (from, to) => called("link", calls.link(from, to)),
    lstat: (path) => Effect.map(called("lstat", calls.lstat(path)), infoOf),
    makeDirectory: (path, options) =>
      called(
        "makeDirectory",
        options?.recursive === true
          ? Effect.asVoid(calls.mkdirs(path, options.mode ?? directoryMode))
          : calls.mkdir(path, options?.mode ?? directoryMode)
      ),
    readLink: (path) => Effect.map(called("readLink", calls.readlink(path)), (target) => target.toString()),
    realPath: (path) => called("realPath", calls.realpath(path)),
    remove: (path, options) =>
      called("remove", calls.rm(path, { recursive: options?.recursive ?? false, force: options?.force ?? false })),
    rename: (from, to) => called("rename", calls.rename(from, to)),
    stat: (path) => Effect.map(called("stat", calls.stat(path)), infoOf),
    symlink: (target, path) => called("symlink", calls.symlink(target, path)),
    utimes: (path, atime, mtime) => called("utimes", calls.utimes(path, atime, mtime)),
    watch: watching(shared, calls)
  })
}

/** As `toEffect`, as a layer: programs that use `FileSystem` run on it. */
export const toEffectLayer = (shared: Shared): Layer.Layer<FileSystem.FileSystem> =>
  Layer.sync(FileSystem.FileSystem, () => toEffect(shared))
