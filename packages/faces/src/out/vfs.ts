/** A filesystem as a provider of `node:vfs` and `@platformatic/vfs`. */
import { type Attr, openFlags } from "@bickford/protocol"
import { constants } from "node:fs"
import * as Effect from "effect/Effect"
import { bytesOf, type EncodingOptions, encodingOf, flagsOf, type TimeLike } from "./arguments.ts"
import { FaceFileHandle, HandleCalls, part } from "./FaceFileHandle.ts"
import { nodeCalls, type NodeCalls } from "./NodeCalls.ts"
import { now } from "./now.ts"
import type { Shared } from "./share.ts"
import { FaceBigIntStats, type FaceDirent, FaceStats } from "./stats.ts"

const { O_APPEND } = openFlags
const fileMode = 0o666
const directoryMode = 0o777
/** What the module loader is told of a path where nothing is. */
const noModule = -2

interface StatOptions {
  readonly bigint?: boolean
}
interface ListOptions {
  readonly withFileTypes?: boolean
}
interface MakeOptions {
  readonly recursive?: boolean
  readonly mode?: number
}
interface WriteOptions {
  readonly encoding?: BufferEncoding | null
  readonly mode?: number
}

/** An open file of a provider: the methods of `FileHandle`, and the same with `Sync`. */
export class ProviderHandle extends FaceFileHandle {
  readonly path: string
  readonly flags: string | number
  readonly mode: number
  readonly #shared: Shared
  readonly #handle: HandleCalls

  constructor(shared: Shared, handle: HandleCalls, path: string, flags: string | number, mode: number) {
    super(handle)
    this.#shared = shared
    this.#handle = handle
    this.path = path
    this.flags = flags
    this.mode = mode
  }

  /** Whether it was closed. */
  get closed(): boolean {
    return this.#handle.closed
  }

  /** Where reads and writes without a position of their own begin. */
  get position(): number {
    return this.#handle.position
  }
  /** Sets it. */
  set position(position: number) {
    this.#handle.position = position
  }

  /** As `node:fs` has it. */
  readSync(buffer: Uint8Array, offset = 0, length = buffer.length - offset, position?: number | null): number {
    return now(this.#shared, this.#handle.read(buffer.subarray(offset, offset + length), position))
  }
  /** As `node:fs` has it. */
  writeSync(buffer: Uint8Array, offset = 0, length?: number, position?: number | null): number {
    return now(this.#shared, this.#handle.write(part(buffer, offset, length), position))
  }
  /** As `node:fs` has it. */
  readFileSync(options?: EncodingOptions): Buffer | string {
    const bytes = now(this.#shared, this.#handle.readFile())
    const encoding = encodingOf(options)
    return encoding === undefined ? bytes : bytes.toString(encoding)
  }
  /** As `node:fs` has it. */
  writeFileSync(data: Uint8Array | string, options?: EncodingOptions): void {
    now(this.#shared, this.#handle.write(bytesOf(data, encodingOf(options)), null))
  }
  /** As `node:fs` has it. */
  statSync(options?: StatOptions): FaceStats | FaceBigIntStats {
    return shown(options)(now(this.#shared, this.#handle.stat()))
  }
  /** As `node:fs` has it. */
  truncateSync(length?: number): void {
    now(this.#shared, this.#handle.truncate(length))
  }
  /** As `node:fs` has it. */
  closeSync(): void {
    now(this.#shared, this.#handle.close())
  }
}

const shown =
  (options: StatOptions | undefined) =>
  (attr: Attr): FaceStats | FaceBigIntStats =>
    options?.bigint === true ? new FaceBigIntStats(attr) : new FaceStats(attr)

const listed =
  (options: ListOptions | undefined) =>
  (entries: ReadonlyArray<FaceDirent>): Array<string> | Array<FaceDirent> =>
    options?.withFileTypes === true ? [...entries] : entries.map(({ name }) => name)

const textOf =
  (options: EncodingOptions) =>
  (bytes: Buffer): Buffer | string => {
    const encoding = encodingOf(options)
    return encoding === undefined ? bytes : bytes.toString(encoding)
  }

/** Each method as an Effect; a provider has it twice, as a promise and with `Sync`. */
const methodsOf = (shared: Shared, calls: NodeCalls) => ({
  /** As `node:fs` has it. */
  open: (path: string, flags: string | number = "r", mode = fileMode) =>
    Effect.map(
      calls.open(path, flagsOf(flags), mode),
      (handle) =>
        new ProviderHandle(shared, new HandleCalls(handle, (flagsOf(flags) & O_APPEND) !== 0), path, flags, mode)
    ),
  /** As `node:fs` has it. */
  stat: (path: string, options?: StatOptions) => Effect.map(calls.stat(path), shown(options)),
  /** As `node:fs` has it. */
  lstat: (path: string, options?: StatOptions) => Effect.map(calls.lstat(path), shown(options)),
  /** As `node:fs` has it. */
  readdir: (path: string, options?: ListOptions) => Effect.map(calls.readdir(path), listed(options)),
  /** As `node:fs` has it. */
  mkdir: (path: string, options?: MakeOptions) =>
    options?.recursive === true
      ? calls.mkdirs(path, options.mode ?? directoryMode)
      : Effect.as(calls.mkdir(path, options?.mode ?? directoryMode), undefined),
  /** As `node:fs` has it. */
  rmdir: (path: string) => calls.rmdir(path),
  /** As `node:fs` has it. */
  unlink: (path: string) => calls.unlink(path),
  /** As `node:fs` has it. */
  rename: (path: string, newPath: string) => calls.rename(path, newPath),
  /** As `node:fs` has it. */
  link: (path: string, newPath: string) => calls.link(path, newPath),
  /** As `node:fs` has it. */
  symlink: (target: string, path: string, _type?: string) => calls.symlink(target, path),
  /** As `node:fs` has it. */
  readlink: (path: string, _options?: EncodingOptions) =>
    Effect.map(calls.readlink(path), (target) => target.toString()),
  /** As `node:fs` has it. */
  readFile: (path: string, options?: EncodingOptions) =>
    Effect.map(calls.readFile(path, flagsOf("r")), textOf(options)),
  /** As `node:fs` has it. */
  writeFile: (path: string, data: Uint8Array | string, options?: BufferEncoding | WriteOptions | null) =>
    calls.writeFile(path, bytesOf(data, encodingOf(options)), flagsOf("w"), modeIn(options)),
  /** As `node:fs` has it. */
  appendFile: (path: string, data: Uint8Array | string, options?: BufferEncoding | WriteOptions | null) =>
    calls.writeFile(path, bytesOf(data, encodingOf(options)), flagsOf("a"), modeIn(options)),
  /** As `node:fs` has it. */
  exists: (path: string) =>
    Effect.matchEffect(calls.access(path), {
      onSuccess: () => Effect.succeed(true),
      onFailure: () => Effect.succeed(false)
    }),
  /** As `node:fs` has it. */
  copyFile: (from: string, to: string, mode?: number) => calls.copyFile(from, to, mode),
  /** As `node:fs` has it. */
  realpath: (path: string, _options?: EncodingOptions) => calls.realpath(path),
  /** As `node:fs` has it. */
  access: (path: string, mode = constants.F_OK) => calls.access(path, mode),
  /** As `node:fs` has it. */
  truncate: (path: string, length = 0) => calls.truncate(path, length),
  /** As `node:fs` has it. */
  chmod: (path: string, mode: number) => calls.chmod(path, mode),
  /** As `node:fs` has it. */
  chown: (path: string, uid: number, gid: number) => calls.chown(path, uid, gid),
  /** As `node:fs` has it. */
  utimes: (path: string, atime: TimeLike, mtime: TimeLike) => calls.utimes(path, atime, mtime)
})

const modeIn = (options: BufferEncoding | WriteOptions | null | undefined): number =>
  (typeof options === "object" && options !== null ? options.mode : undefined) ?? fileMode

type Methods = ReturnType<typeof methodsOf>
type Answer<Method> = Method extends (...args: infer _) => Effect.Effect<infer A, infer _E> ? A : never

/** A provider: each method as a promise, and with `Sync` at the end of its name as a value. */
export type FaceProvider = {
  readonly [Name in keyof Methods]: (...args: Parameters<Methods[Name]>) => Promise<Answer<Methods[Name]>>
} & {
  readonly [Name in keyof Methods as `${Name}Sync`]: (...args: Parameters<Methods[Name]>) => Answer<Methods[Name]>
} & {
  readonly readonly: boolean
  readonly supportsSymlinks: boolean
  readonly supportsWatch: boolean
  /** What the module loader asks: 0 a file, 1 a directory, negative for nothing. */
  readonly internalModuleStat: (path: string) => number
}

/**
 * The filesystem as a provider of `node:vfs` or `@platformatic/vfs`: `new VirtualFileSystem(toVfs(shared))`. Their `create` takes
 * only instances of their `VirtualProvider`: with it as `base` the provider is one. The methods with `Sync` throw EAGAIN where the
 * filesystem cannot answer at once.
 */
export const toVfs = <Base extends object = object>(
  shared: Shared,
  base?: { readonly prototype: Base }
): FaceProvider & Base => {
  const methods = methodsOf(shared, nodeCalls(shared.calls))
  const provider: { [name: string]: unknown } = { readonly: false, supportsSymlinks: true, supportsWatch: false }
  for (const [name, method] of Object.entries(methods)) {
    // Each is called with its own arguments, whatever they are.
    const call = method as (...args: ReadonlyArray<unknown>) => Effect.Effect<unknown, never>
    provider[name] = (...args: ReadonlyArray<unknown>) => Effect.runPromise(Effect.suspend(() => call(...args)))
    provider[`${name}Sync`] = (...args: ReadonlyArray<unknown>) =>
      now(
        shared,
        Effect.suspend(() => call(...args))
      )
  }
  provider.internalModuleStat = (path: string): number => {
    try {
      return now(shared, methods.stat(path)).isDirectory() ? 1 : 0
    } catch {
      return noModule
    }
  }
  // Each of the methods is there twice by now.
  return Object.create(
    base?.prototype ?? Object.prototype,
    Object.getOwnPropertyDescriptors(provider)
  ) as FaceProvider & Base
}
