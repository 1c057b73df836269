/**
 * Tests of filesystems without `/dev/fuse` and without Effect: calls by path, as promises.
 *
 * ```ts
 * const kernel = await serveForTest(memory())
 * await kernel.writeFile("/file", "text")
 * assert.equal(String(await kernel.readFile("/file")), "text")
 * await assert.rejects(kernel.readFile("/other"), { code: "ENOENT" })
 * await kernel.close()
 * ```
 */
import { type BackendSource, type ErrnoError, isOptionError, logToStderr, type Session } from "@bickford/session"
import { FakeKernel } from "@bickford/session/testing"
import * as Cause from "effect/Cause"
import * as Data from "effect/Data"
import * as Effect from "effect/Effect"
import * as Exit from "effect/Exit"
import * as Scope from "effect/Scope"
import { getSystemErrorMap } from "node:util"
import { failureOf } from "./MountFailure.ts"

/** What a call on a `TestKernel` is rejected with: the errno that a program would see, in the form of Node's own errors. */
export class TestCallError extends Data.TaggedError("TestCallError")<{
  /** The errno's name and what it means, the call and the path, as in Node's own errors. */
  readonly message: string
  /** The errno's name, as `ENOENT`; `ERR_FAKE_KERNEL` when the session itself broke off. */
  readonly code: string
  /** The negative error number, as Node has it. */
  readonly errno: number | undefined
  /** The call, as `readFile`. */
  readonly syscall: string
  /** The path that the call was given. */
  readonly path: string
}> {}

const callError = (error: ErrnoError | FakeKernel.FakeKernelError, syscall: string, path: string): TestCallError => {
  const errno = error._tag === "FakeKernelError" ? undefined : -error.errno
  const text = errno === undefined ? error.message : (getSystemErrorMap().get(errno)?.[1] ?? "unknown error")
  const code = error._tag === "FakeKernelError" ? "ERR_FAKE_KERNEL" : error._tag
  return new TestCallError({ message: `${code}: ${text}, ${syscall} '${path}'`, code, errno, syscall, path })
}

/** A call as a promise, which is rejected with a `TestCallError`. */
type Promised<Call> = Call extends (...args: infer Args) => Effect.Effect<infer A, infer _E>
  ? (...args: Args) => Promise<A>
  : never

/** The calls of a program by absolute path within the mount, as promises. */
export type TestCalls = { readonly [Name in keyof FakeKernel.PathCalls]: Promised<FakeKernel.PathCalls[Name]> }

/** A filesystem that is served to a test, which plays the kernel. `await using` closes it at the end of the block. */
export interface TestKernel extends TestCalls, AsyncDisposable {
  /** The session that serves: its counters, and what it holds for the kernel. */
  readonly session: Session.Session
  /** Replies that nobody was owed: a right server leaves it empty. */
  readonly unexpected: () => ReadonlyArray<FakeKernel.RawReply>
  /** Hangs up, as an unmount does; resolves when the backend's `destroy` has run. */
  readonly close: () => Promise<void>
}

const promised =
  <Args extends readonly [string, ...ReadonlyArray<unknown>], A>(
    syscall: string,
    call: (...args: Args) => Effect.Effect<A, ErrnoError | FakeKernel.FakeKernelError>
  ) =>
  async (...args: Args): Promise<A> => {
    const exit = await Effect.runPromiseExit(call(...args))
    if (Exit.isSuccess(exit)) return exit.value
    const error = Cause.findErrorOption(exit.cause)
    throw error._tag === "Some" ? callError(error.value, syscall, args[0]) : Cause.squash(exit.cause)
  }

const promisedCalls = (kernel: FakeKernel.PathCalls): TestCalls => ({
  stat: promised("stat", kernel.stat),
  lstat: promised("lstat", kernel.lstat),
  readFile: promised("readFile", kernel.readFile),
  writeFile: promised("writeFile", kernel.writeFile),
  readdir: promised("readdir", kernel.readdir),
  mkdir: promised("mkdir", kernel.mkdir),
  rmdir: promised("rmdir", kernel.rmdir),
  unlink: promised("unlink", kernel.unlink),
  rename: promised("rename", kernel.rename),
  link: promised("link", kernel.link),
  symlink: promised("symlink", kernel.symlink),
  readlink: promised("readlink", kernel.readlink),
  truncate: promised("truncate", kernel.truncate),
  chmod: promised("chmod", kernel.chmod)
})

/** Serves `backend` over a socketpair, and agrees on everything that a kernel offers. No mount, no privileges. */
export const serveForTest = async (backend: BackendSource): Promise<TestKernel> => {
  const scope = await Effect.runPromise(Scope.make())
  const closeScope = () => Effect.runPromise(Effect.provide(Scope.close(scope, Exit.void), logToStderr))
  const started = FakeKernel.serve(backend).pipe(Effect.tap(({ kernel }) => kernel.init()))
  const exit = await Effect.runPromiseExit(Effect.provide(Scope.provide(started, scope), logToStderr))
  if (Exit.isFailure(exit)) {
    await closeScope()
    const failure = Cause.squash(exit.cause)
    throw isOptionError(failure) ? failureOf(failure) : failure
  }
  const { kernel, session } = exit.value
  const close = async (): Promise<void> => {
    await Effect.runPromise(kernel.close)
    await Effect.runPromise(session.awaitEnd)
    await closeScope()
  }
  return { ...promisedCalls(kernel), session, unexpected: kernel.unexpected, close, [Symbol.asyncDispose]: close }
}
