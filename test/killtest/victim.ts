/** A mount of a store, and the death of its server. */

export interface Victim {
  readonly mountpoint: string
  /** Kills the server with SIGKILL, and returns when another has begun to serve. */
  readonly kill: () => Promise<void>
}
