/** Extended attributes; without callbacks for them the kernel stops asking. */
import type { Name } from "@bickford/protocol"
import { type Backend, Errno } from "@bickford/session"
import * as Exit from "effect/Exit"
import type { Answer } from "./outcome.ts"
import { checked, forms, listed } from "./answers.ts"
import { bytes } from "./data.ts"
import type { PathHandles } from "./handles.ts"
import { nameText } from "./node.ts"
import { andThen, type Outcome, outcome } from "./outcome.ts"
import type { Served } from "./served.ts"

/** As it was asked for: the size only, or all of it, ERANGE when that does not fit. */
const sized = (value: Uint8Array, size: number): Outcome<Uint8Array | { readonly size: number }> => {
  if (size === 0) return Exit.succeed({ size: value.length })
  return value.length > size ? Errno.ERANGE : Exit.succeed(value)
}

/**
 * ACLs are no attributes that can just be kept: they change the mode, and give and take permissions. To programs that
 * copy modes (cp -p, sed -i, mv) EOPNOTSUPP says that there are none.
 */
const isAcl = (name: string): boolean => name.startsWith("system.posix_acl_")

export const xattrOperations = <H>(
  { acls, at, callbacks, nodes }: Served<H>,
  handles: PathHandles<H>
): Pick<Backend, "getxattr" | "setxattr" | "listxattr" | "removexattr"> => {
  const { fgetxattr, flistxattr, fremovexattr, fsetxattr, getxattr, listxattr, removexattr, setxattr } = callbacks

  /** By path; of a removed file by a handle, where there is a callback for that. */
  const on = <A, B = A>(
    nodeid: Parameters<typeof nodes.get>[0],
    byPath: (path: string) => Answer<A>,
    byHandle: ((handle: H) => Answer<A>) | undefined,
    then: (answer: Outcome<A>, path: string | undefined) => Outcome<B>
  ): Outcome<B> => {
    const open = handles.removed(nodes.get(nodeid))
    if (open === undefined)
      return at(nodeid, (path) =>
        then(
          outcome(() => byPath(path)),
          path
        )
      )
    return byHandle === undefined
      ? Errno.ENOTSUP
      : then(
          outcome(() => byHandle(open.handle)),
          undefined
        )
  }
  const asIs = <A>(answer: Outcome<A>): Outcome<A> => answer
  const named = <A>(name: Name, act: (text: string) => Outcome<A>): Outcome<A> => {
    const text = nameText(name)
    return !acls && isAcl(text) ? Errno.ENOTSUP : act(text)
  }

  return {
    ...(getxattr && {
      getxattr: ({ name, nodeid, size }, context) =>
        named(name, (text) =>
          andThen(
            on(
              nodeid,
              (path) => getxattr(path, text, context),
              fgetxattr && ((handle) => fgetxattr(handle, text, context)),
              (answer, path) => checked(answer, path === undefined ? "fgetxattr" : "getxattr", path, forms.data)
            ),
            (value) => sized(bytes(value), size)
          )
        )
    }),
    ...(listxattr && {
      listxattr: ({ nodeid, size }, context) =>
        andThen(
          on(
            nodeid,
            (path) => listxattr(path, context),
            flistxattr && ((handle) => flistxattr(handle, context)),
            (answer, path) =>
              listed(answer, path === undefined ? "flistxattr" : "listxattr", path, forms.attributeNames)
          ),
          (names) => sized(bytes(names.map((name) => `${name}\0`).join("")), size)
        )
    }),
    ...(setxattr && {
      setxattr: ({ flags, name, nodeid, value }, context) =>
        named(name, (text) =>
          on(
            nodeid,
            (path) => setxattr(path, text, value, flags, context),
            fsetxattr && ((handle) => fsetxattr(handle, text, value, flags, context)),
            asIs
          )
        )
    }),
    ...(removexattr && {
      removexattr: ({ name, nodeid }, context) =>
        named(name, (text) =>
          on(
            nodeid,
            (path) => removexattr(path, text, context),
            fremovexattr && ((handle) => fremovexattr(handle, text, context)),
            asIs
          )
        )
    })
  }
}
