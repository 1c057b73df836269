/** `opendir`, `releasedir` and `fsyncdir`, which callbacks by path do without. */
import type { U64 } from "@bickford/protocol"
import { type Backend, Errno, errnoOf } from "@bickford/session"
import * as Effect from "effect/Effect"
import type { callersOf } from "./callbacks.ts"
import type { Operations } from "./Operations.ts"

const attempt = <A>(call: () => A | Promise<A>) =>
  Effect.catch(Effect.tryPromise({ try: async () => call(), catch: (error) => error }), (error) => {
    const errno = errnoOf(error)
    return errno === undefined ? Effect.die(error) : Effect.fail(errno)
  })

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
  return {
    ...backend,
    ...(opendir && {
      opendir: (request, context) => {
        const path = pathOf(request.nodeid)
        if (path === undefined) return Errno.ENOENT
        return Effect.flatMap(
          attempt(() =>
            value<number>(
              "opendir",
              (cb) => opendir(path, request.flags, cb),
              () => 0
            )
          ),
          (fd) =>
            Effect.map(openListing(request, context), (open) => {
              fds.set(open.fh, fd)
              return open
            })
        )
      }
    }),
    releasedir: (request, context) => {
      const fd = fds.get(request.fh) ?? 0
      const path = pathOf(request.nodeid)
      fds.delete(request.fh)
      const ended = releaseListing(request, context)
      if (releasedir === undefined || path === undefined) return ended
      return Effect.andThen(
        ended,
        attempt(() => done("releasedir", (cb) => releasedir(path, fd, cb)))
      )
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
