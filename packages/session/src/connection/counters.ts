/** The numbers of a connection. */

/** What a connection counts; but for `passthroughFiles` the numbers only grow. */
export interface ConnectionCounters {
  requests: number
  /** Operations that threw, died or returned nonsense, and were answered EIO; and what has no reply and threw. */
  defects: number
  /** Frames that could not be decoded. */
  malformed: number
  /** Files that are registered with the kernel for passthrough now. */
  passthroughFiles: number
}
