/**
 * A filesystem written as callbacks by path: the ten-line way.
 *
 * @module
 */
import type { Statfs } from "@bickford/protocol"
import { type Backend, Errno } from "@bickford/session"
import * as Effect from "effect/Effect"
import * as Exit from "effect/Exit"
import { checkOptions } from "../checkOptions.ts"
import { S_IFDIR } from "../posix/linux.ts"
import { checkCallbacks, checked, forms } from "./answers.ts"
import { attributeOperations } from "./attributeOperations.ts"
import type { PathCallbacks } from "./callbacks.ts"
import { changes } from "./changes.ts"
import { dataOperations } from "./dataOperations.ts"
import { makeHandles } from "./handles.ts"
import { openOperations } from "./openOperations.ts"
import { listingOperations } from "./listing.ts"
import { namespaceOperations } from "./namespace.ts"
import { andThen, map, orElse, outcome, type Outcome } from "./outcome.ts"
import { makeServed, pathChecks, type PathOptions } from "./served.ts"
import { xattrOperations } from "./xattrs.ts"

export { leftByKilled, type PathOptions } from "./served.ts"

const done: Outcome<void> = Exit.void

const emptyStatfs: Statfs = {
  blocks: 0,
  bfree: 0,
  bavail: 0,
  files: 0,
  ffree: 0,
  bsize: 4096,
  namelen: 255,
  frsize: 4096
}

const made = new WeakSet<object>()

/**
 * A backend out of callbacks. Node ids follow files through renames of them and of the folders above, hard
 * links are one node, and a file that is removed while it is open can still be used. An operation whose
 * callbacks answer with values is answered without a fiber. Throws a TypeError for a callback that is no
 * function or is misspelt, and for an option that is not there.
 */
export const make = <H = unknown>(callbacks: PathCallbacks<H>, options: PathOptions = {}): Backend => {
  checkCallbacks(callbacks)
  checkOptions("PathFilesystem.make", options, pathChecks)
  const served = makeServed(callbacks, options)
  const handles = makeHandles(served)
  const { destroy, init, ioctl, statfs } = callbacks

  const filesystem: Backend = {
    ...(options.interruptible && { interruptible: options.interruptible }),
    // The umask is then applied where default ACLs are inherited.
    ...(served.acls && { capabilities: { posixAcl: true, dontMask: true } }),
    ...(init && {
      init: (_negotiated, { atime, notify }) => outcome(() => init({ atime, changed: changes(served.nodes, notify) }))
    }),
    destroy: () =>
      Effect.orDie(
        andThen(
          orElse(handles.releaseAll(), () => done),
          () => outcome(() => destroy?.())
        )
      ),
    pathOf: (nodeid) => {
      const node = served.nodes.get(nodeid)
      return node === undefined ? undefined : served.nodes.path(node)
    },
    ...namespaceOperations(served),
    ...attributeOperations(served, handles),
    ...openOperations(served, handles),
    ...dataOperations(served, handles),
    ...listingOperations(served),
    ...xattrOperations(served, handles),
    statfs: (_request, context) =>
      map(
        checked(
          outcome(() => statfs?.("/", context) ?? {}),
          "statfs",
          "/",
          forms.statfs
        ),
        (given) => ({ ...emptyStatfs, ...given, frsize: given.bsize ?? emptyStatfs.bsize })
      ),
    ...(ioctl && {
      ioctl: ({ cmd, data, fh, nodeid }, context) =>
        // A directory has no handle of the callbacks'.
        served.nodes.get(nodeid)?.type === S_IFDIR
          ? Errno.ENOTTY
          : handles.use(fh, (handle, path) =>
              map(
                checked(
                  outcome(() => ioctl(handle, cmd, data, path, context)),
                  "ioctl",
                  path,
                  forms.ioctl
                ),
                (answer) => ({ result: 0, data: answer instanceof Uint8Array ? answer : new Uint8Array(0) })
              )
            )
    })
  }
  made.add(filesystem)
  return filesystem
}

/** True for what `make` gave; false for whatever else, a combinator's result included. */
export const isFilesystem = (value: unknown): value is Backend =>
  typeof value === "object" && value !== null && made.has(value)
