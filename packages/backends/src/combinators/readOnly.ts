/** A filesystem that cannot be changed. */
import { type OpenRequest, operationsWhere } from "@bickford/protocol"
import { type AsyncBackend, type Backend, Errno } from "@bickford/session"
import { O_ACCMODE, O_TRUNC } from "../posix/linux.ts"
import { mapOperations } from "./operations.ts"

const changes = operationsWhere(({ mutates }) => mutates)
const refuse = () => Errno.EROFS

const wouldChange = ({ flags }: OpenRequest): boolean => (flags & O_ACCMODE) !== 0 || (flags & O_TRUNC) !== 0

/** `backend`, with EROFS for everything that would change it. Mount it with `readOnly` too, and the kernel says so first. */
export const readOnly = (backend: AsyncBackend): Backend => ({
  ...mapOperations(
    backend,
    (_name, operation) => (request, context) =>
      request.op === "open" && wouldChange(request) ? Errno.EROFS : operation(request, context)
  ),
  // Also what the backend does not have, or the kernel would take note of it in another way.
  ...Object.fromEntries(changes.map((name) => [name, refuse])),
  // Who opens a file to write to it is told at once.
  capabilities: { ...backend.capabilities, writebackCache: false, noOpen: false }
})
