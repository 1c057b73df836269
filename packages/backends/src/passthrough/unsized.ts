/** Filesystems of the kernel's own, whose files hold more than their size tells: the kernel must ask for every byte. */
import { statfsSync } from "node:fs"

/** statfs(2)'s types (<linux/magic.h>): proc, sysfs, cgroup, cgroup2, debugfs, tracefs, configfs, securityfs, bpf, fusectl, binfmt_misc, rpc_pipefs, nfsd, selinuxfs. */
const unsizedTypes = new Set([
  0x9fa0, 0x62656572, 0x27e0eb, 0x63677270, 0x64626720, 0x74726163, 0x62656570, 0x73636673, 0xcafe4a11, 0x65735543,
  0x42494e4d, 0x67596969, 0x6e667364, 0xf97cff8c
])

/** Tells of a file's device, and a descriptor of the file, whether its size says nothing. */
export const makeUnsized = (): ((device: number, fd: number) => boolean) => {
  const known = new Map<number, boolean>()
  // Nearly all files are on one device: no map is asked.
  let lastSized: number | undefined
  const look = (device: number, fd: number): boolean => {
    const seen = known.get(device) ?? (fd >= 0 && unsizedTypes.has(statfsSync(`/proc/self/fd/${fd}`).type >>> 0))
    if (fd >= 0) known.set(device, seen)
    if (!seen) lastSized = device
    return seen
  }
  return (device, fd) => device !== lastSized && look(device, fd)
}
