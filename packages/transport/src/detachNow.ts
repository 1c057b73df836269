/** The end of a mount whose process ends. */
import { abortConnectionNow, type AbortTarget } from "./abort.ts"
import type { TransportError } from "./errors.ts"
import { detachDeviceNow } from "./mount.ts"
import { addon } from "./native.ts"

/**
 * Aborts a mount's connection and detaches the mount, on the calling thread, which may be the one that serves it. For the
 * end of a process, which waits for nothing asynchronous. Undefined when the mount is gone, else why it is not.
 */
export const detachNow = (mount: AbortTarget): TransportError | undefined => {
  // Without fusectl the connection ends with its last descriptor.
  if (abortConnectionNow(mount) < 0 && mount.handle !== undefined) addon.close(mount.handle)
  return detachDeviceNow(mount)
}
