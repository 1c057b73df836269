/** A filesystem for some users alone. */
import { type AsyncBackend, type Backend, Errno } from "@bickford/session"
import * as Exit from "effect/Exit"
import { mapOperations } from "./operations.ts"

/** By what a program has open already, whoever has opened it. */
const byHandle: ReadonlySet<string> = new Set([
  "read",
  "write",
  "flush",
  "fsync",
  "release",
  "lseek",
  "readdir",
  "readdirplus",
  "fsyncdir",
  "releasedir"
])

/**
 * `backend` for the users `uids` alone; the others get EACCES, as with libfuse's option `allow_root`. What one of them
 * has opened can be used by whoever is given the descriptor. The mount needs `allowOther`; what the kernel has in its
 * cache (attributes, names) others can see until it expires.
 */
export const onlyFor = (backend: AsyncBackend, uids: ReadonlyArray<number>): Backend => {
  // The kernel asks for each open only where an open is answered: a missing one would let everybody read.
  const opened = () => Exit.succeed({ fh: 0, openFlags: 0 })
  const asked = { ...mapOperations(backend, (_name, operation) => operation) }
  const known = { ...asked, open: asked.open ?? opened, opendir: asked.opendir ?? opened }
  return {
    ...mapOperations(known, (name, operation) =>
      byHandle.has(name)
        ? operation
        : (request, context) => (uids.includes(context.uid) ? operation(request, context) : Errno.EACCES)
    ),
    capabilities: { ...backend.capabilities, noOpen: false, noOpendir: false }
  }
}
