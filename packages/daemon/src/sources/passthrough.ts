/** `passthrough:DIR`, a directory of the machine's own. */
import * as Effect from "effect/Effect"
import { resolve } from "node:path"
import { commandError } from "../CommandError.ts"
import type { ParsedOptions } from "../options/table.ts"
import { locksOfTheKernel } from "./locks.ts"
import type { SourceKind } from "./SourceKind.ts"

const load = () => import("@bickford/backends")

/** With several threads, the state that they share. */
const optionsOf = ({ mount: { threads = 1 }, passthrough }: ParsedOptions): ParsedOptions["passthrough"] =>
  threads === 1 ? passthrough : { ...passthrough, shared: true }

export const passthroughSource: SourceKind = {
  kind: "passthrough",
  operand: "DIR",
  help: "a folder",
  needs: "a folder",
  exclusive: false,
  covered: "reached",
  options: [
    "entry_timeout",
    "attr_timeout",
    "negative_timeout",
    "no_xattr",
    "writeback_cache",
    "no_kernel_passthrough",
    "splice_read"
  ],
  refuses: {
    ...locksOfTheKernel,
    strictatime: "reads are marked as the filesystem underneath is mounted; mount that with strictatime"
  },
  contradiction: ({ passthrough: { kernelPassthrough, writebackCache } }) =>
    writebackCache === true && kernelPassthrough !== false
      ? "option writeback_cache needs no_kernel_passthrough beside it: the kernel caches no writes where data can go past the server"
      : undefined,
  load,
  open: (path, options) =>
    Effect.flatMap(Effect.promise(load), ({ passthrough }) => {
      // The callers' masks are applied by the kernel; this program's own is to take nothing away.
      process.umask(0)
      const directory = passthrough(resolve(path), optionsOf(options))
      // Opened once before the mount: what is wrong with it is said then.
      return Effect.scoped(directory).pipe(
        Effect.mapError(({ message }) => commandError(message)),
        Effect.as(directory)
      )
    })
}
