/** What `bickford mount` was asked for. */

export interface MountRequest {
  readonly source: string
  readonly mountpoint: string
  /** The values of `-o`. */
  readonly options: ReadonlyArray<string>
  /** Every request and reply, as a line each, on stderr. */
  readonly debug?: boolean
}
