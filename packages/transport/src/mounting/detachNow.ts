/** The end of a mount whose process, or thread, ends. */
import { abortConnectionNow, abortFileOf, type AbortTarget } from "./abort.ts"
import type { TransportError } from "../errors.ts"
import { detachDeviceNow } from "./mount.ts"
import { addon } from "../native.ts"

/**
 * Aborts a mount's connection and detaches the mount, on the calling thread, which may be the one that serves it. For the
 * end of a process, which waits for nothing asynchronous. Undefined when the mount is gone, else why it is not.
 */
export const detachNow = (mount: AbortTarget): TransportError | undefined => {
  // Without fusectl the connection ends with its last descriptor.
  if (abortConnectionNow(mount) < 0 && mount.handle !== undefined) addon.close(mount.handle)
  return detachDeviceNow(mount)
}

/**
 * Has the end of this thread, also by `terminate()` of its worker, do that for a mount while the device's handle is open. Of a
 * mount without a handle nothing is done.
 */
export const detachAtEnd = ({ device, handle, mountpoint }: AbortTarget): void => {
  if (handle !== undefined) addon.detach_at_end(handle, mountpoint, device, abortFileOf(device))
}
