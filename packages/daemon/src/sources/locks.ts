/** Options about locks, where a source leaves locks to the kernel. */

const why = "its locks are the kernel's in any case; leave the option out"

/** Refuses libfuse's options about locks that the filesystem keeps. */
export const locksOfTheKernel: { readonly [option: string]: string } = {
  no_remote_lock: why,
  no_remote_posix_lock: why,
  no_remote_flock: why
}
