import type { SetattrRequest } from "@bickford/protocol"
import { FATTR_ATIME, FATTR_CTIME, FATTR_MTIME } from "./linux.ts"

const nsecEnd = 1_000_000_000

/**
 * Whether a SETATTR's times are ones that a later reply can hold: fewer nanoseconds than a second has. A kernel
 * checks it before it asks; whatever else asks gets EINVAL.
 */
export const hasValidTimes = ({ atime, ctime, mtime, valid }: SetattrRequest): boolean =>
  ((valid & FATTR_ATIME) === 0 || atime.nsec < nsecEnd) &&
  ((valid & FATTR_MTIME) === 0 || mtime.nsec < nsecEnd) &&
  ((valid & FATTR_CTIME) === 0 || ctime.nsec < nsecEnd)
