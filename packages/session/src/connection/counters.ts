/** The numbers of a connection. */

/** What a connection counts; the numbers only grow. */
export interface ConnectionCounters {
  requests: number
  /** Operations that threw, died or returned nonsense, and were answered EIO; and what has no reply and threw. */
  defects: number
  /** Frames that could not be decoded. */
  malformed: number
}
