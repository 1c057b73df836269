/**
 * A filesystem whose files need no opening: each is found by its node, and nothing is kept for those who have it
 * open. Where the kernel knows of that (FUSE_NO_OPEN_SUPPORT, Linux 5.1) it is told by ENOSYS, once, and from then
 * on opens and closes without asking, and makes files by MKNOD. Its cache is right: nobody else changes a file. With
 * strictatime it asks: each open has to drop the cache.
 */
import type { CreateRequest, OpendirRequest, OpenRequest } from "@bickford/protocol"
import { type Backend, Errno, type RequestContext } from "@bickford/session"
import * as Effect from "effect/Effect"

export const withoutOpening = <B extends Required<Pick<Backend, "open" | "opendir" | "create">> & Backend>(
  backend: B
): B => {
  const { create, init, open, opendir } = backend
  let needless = false
  return {
    ...backend,
    capabilities: { ...backend.capabilities, noOpen: true, noOpendir: true },
    init: (negotiated, connection) => {
      const { directories, files } = connection.atime
      const strict = files === "strictatime" || directories === "strictatime"
      needless = negotiated.noOpen && negotiated.noOpendir && !strict
      return init?.(negotiated, connection) ?? Effect.void
    },
    open: (request: OpenRequest, context: RequestContext) => (needless ? Errno.ENOSYS : open(request, context)),
    opendir: (request: OpendirRequest, context: RequestContext) =>
      needless ? Errno.ENOSYS : opendir(request, context),
    create: (request: CreateRequest, context: RequestContext) => (needless ? Errno.ENOSYS : create(request, context))
  }
}
