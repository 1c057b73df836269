/** Descriptors as the addon owns them. */

declare const handleBrand: unique symbol

/** Owns one file descriptor: `close` closes it, and so does the garbage collector when it was forgotten. */
export interface FuseHandle {
  readonly [handleBrand]: true
}
