/** How much data one request can carry, and the frames that hold it. */
import { readFileSync } from "node:fs"

const pageSize = 4096
/** `FUSE_DEFAULT_MAX_PAGES_LIMIT` of kernels without the file (before 6.13), which take no more. */
const defaultPagesLimit = 256
const oneMiB = 1 << 20
/** For headers, structs and names; and for an extended attribute's 64 KiB. */
const besidesData = pageSize + 65536

/** Bytes of data that the kernel puts in one request at most: `fs.fuse.max_pages_limit` (sysctl) in pages. */
export const largestRequest = (): number => {
  try {
    const pages = Number(readFileSync("/proc/sys/fs/fuse/max_pages_limit", "latin1"))
    return (Number.isInteger(pages) && pages > 0 ? pages : defaultPagesLimit) * pageSize
  } catch {
    return defaultPagesLimit * pageSize
  }
}

/** Bytes of a frame for WRITEs of up to `maxWrite` bytes. Default, and the least: 1 MiB of data. */
export const frameCapacityFor = (maxWrite = oneMiB): number =>
  (maxWrite > oneMiB ? Math.ceil(maxWrite / pageSize) * pageSize : oneMiB) + besidesData
