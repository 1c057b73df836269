/** Errors in the form of Node's own: `code`, `errno`, `syscall`, `path`. */
import type { ErrnoError } from "@bickford/session"
import { getSystemErrorMap } from "node:util"

/** What a call fails with. */
export class NodeError extends Error {
  /** The errno's name, as `ENOENT`. */
  readonly code: string
  /** The negative error number. */
  readonly errno: number
  /** The call, as `open`. */
  readonly syscall: string
  readonly path?: string
  /** The second path, of a call that has two. */
  readonly dest?: string

  constructor(error: ErrnoError, syscall: string, path?: string, dest?: string) {
    const text = getSystemErrorMap().get(-error.errno)?.[1] ?? "unknown error"
    const places = `${path === undefined ? "" : ` '${path}'`}${dest === undefined ? "" : ` -> '${dest}'`}`
    super(`${error._tag}: ${text}, ${syscall}${places}`)
    this.name = "Error"
    this.code = error._tag
    this.errno = -error.errno
    this.syscall = syscall
    if (path !== undefined) this.path = path
    if (dest !== undefined) this.dest = dest
  }
}
