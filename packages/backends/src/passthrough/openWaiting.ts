/**
 * Opening a file that another program holds a lease on (fcntl(2), F_SETLEASE): the kernel makes the opener wait until
 * the lease is given up, or broken after /proc/sys/fs/lease-break-time (45 s). A thread of its own waits, never the one
 * that serves everybody.
 */
import { files } from "@bickford/transport"
import * as Effect from "effect/Effect"

/** Opens `file` anew: its descriptor, or a negative errno. A descriptor that comes after an interruption is closed. */
export const openWaiting = (file: number, flags: number): Effect.Effect<number> =>
  Effect.callback<number>((resume) => {
    let wanted = true
    void files.fs_open_waiting(file, flags).then((fd) => {
      if (wanted) resume(Effect.succeed(fd))
      else if (fd >= 0) files.fs_close(fd)
    })
    return Effect.sync(() => {
      wanted = false
    })
  })
