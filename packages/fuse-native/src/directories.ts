/** `opendir`, `releasedir` and `fsyncdir`, which callbacks by path do without. */
import type { U64 } from "@bickford/protocol"
import { type Backend, Errno, type ErrnoError, errnoOf } from "@bickford/session"
import * as Effect from "effect/Effect"
import * as Exit from "effect/Exit"
import type { callersOf } from "./callbacks.ts"
import type { Operations } from "./Operations.ts"

type Outcome<A> = Effect.Effect<A, ErrnoError>

const failed = (error: unknown): Exit.Exit<never, ErrnoError> => {
  const errno = errnoOf(error)
  return errno === undefined ? Exit.die(error) : Exit.fail(errno)
}

/** What an operation answers; an Exit, which costs no fiber, where it calls back at once. */
const attempt = <A>(call: () => A | Promise<A>): Outcome<A> => {
  try {
    const answer = call()
    return answer instanceof Promise
      ? Effect.catch(Effect.tryPromise({ try: () => answer, catch: (error) => error }), failed)
      : Exit.succeed(answer)
  } catch (error) {
    return failed(error)
  }
}

const andThen = <A, B>(first: Outcome<A>, next: (value: A) => Outcome<B>): Outcome<B> =>
  Exit.isExit(first) && Exit.isSuccess(first) ? next((first as Exit.Success<A>).value) : Effect.flatMap(first, next)

/** `backend`, with the operations on open directories. `pathOf` tells a node's path. */
export const withDirectories = (
  backend: Backend,
  { fsyncdir, opendir, releasedir }: Operations,
  { done, value }: ReturnType<typeof callersOf>,
  pathOf: (nodeid: U64) => string | undefined
): Backend => {
  const { opendir: openListing, releasedir: releaseListing } = backend
  if (openListing === undefined || releaseListing === undefined) return backend
  const fds = new Map<U64, number>()
  const release = (path: string | undefined, fd: number): Outcome<void> =>
    releasedir === undefined || path === undefined
      ? Exit.void
      : attempt(() => done("releasedir", (cb) => releasedir(path, fd, cb)))

  return {
    ...backend,
    ...(opendir && {
      opendir: (request, context) => {
        const path = pathOf(request.nodeid)
        if (path === undefined) return Errno.ENOENT
        const opened = attempt(() =>
          value<number>(
            "opendir",
            (cb) => opendir(path, request.flags, cb),
            () => 0
          )
        )
        return andThen(opened, (fd) => {
          const listing = openListing(request, context)
          const known = andThen(listing, (open) => {
            fds.set(open.fh, fd)
            return Exit.succeed(open)
          })
          // The directory is listed as it is opened; what cannot be listed is not open.
          return Exit.isExit(known) && Exit.isSuccess(known)
            ? known
            : Effect.onExit(known, (exit) => (Exit.isSuccess(exit) ? Effect.void : Effect.ignore(release(path, fd))))
        })
      }
    }),
    releasedir: (request, context) => {
      const fd = fds.get(request.fh) ?? 0
      const path = pathOf(request.nodeid)
      fds.delete(request.fh)
      return andThen(releaseListing(request, context), () => release(path, fd))
    },
    ...(fsyncdir && {
      fsyncdir: ({ fh, fsyncFlags, nodeid }) => {
        const path = pathOf(nodeid)
        if (path === undefined) return Effect.void
        return attempt(() => done("fsyncdir", (cb) => fsyncdir(path, (fsyncFlags & 1) !== 0, fds.get(fh) ?? 0, cb)))
      }
    })
  }
}
