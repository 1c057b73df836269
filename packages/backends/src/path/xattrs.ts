/** Extended attributes; without callbacks for them the kernel stops asking. */
import { type Backend, Errno } from "@bickford/session"
import * as Exit from "effect/Exit"
import { bytes } from "./data.ts"
import { nameText } from "./nodes.ts"
import { andThen, type Outcome, outcome } from "./outcome.ts"
import type { Served } from "./served.ts"

/** As it was asked for: the size only, or all of it, ERANGE when that does not fit. */
const sized = (value: Uint8Array, size: number): Outcome<Uint8Array | { readonly size: number }> => {
  if (size === 0) return Exit.succeed({ size: value.length })
  return value.length > size ? Errno.ERANGE : Exit.succeed(value)
}

export const xattrOperations = <H>({ at, callbacks }: Served<H>): Pick<Backend, "getxattr" | "setxattr" | "listxattr" | "removexattr"> => {
  const { getxattr, listxattr, removexattr, setxattr } = callbacks
  return {
    ...(getxattr && {
      getxattr: ({ name, nodeid, size }, context) =>
        at(nodeid, (path) => andThen(outcome(() => getxattr(path, nameText(name), context)), (value) => sized(bytes(value), size)))
    }),
    ...(listxattr && {
      listxattr: ({ nodeid, size }, context) =>
        at(nodeid, (path) =>
          andThen(outcome(() => listxattr(path, context)), (names) => sized(bytes(Array.from(names, (name) => `${name}\0`).join("")), size)))
    }),
    ...(setxattr && {
      setxattr: ({ flags, name, nodeid, value }, context) => at(nodeid, (path) => outcome(() => setxattr(path, nameText(name), value, flags, context)))
    }),
    ...(removexattr && {
      removexattr: ({ name, nodeid }, context) => at(nodeid, (path) => outcome(() => removexattr(path, nameText(name), context)))
    })
  }
}
