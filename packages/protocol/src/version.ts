/** What decides the size of a message's structs. */
export interface Version {
  readonly minor: number
  /** FUSE_SETXATTR_EXT: SETXATTR's struct has 16 bytes instead of 8. */
  readonly setxattrExt: boolean
}
