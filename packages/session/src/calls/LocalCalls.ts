/** Everything that a program does to a filesystem by path, without a mount. */
import { type Attr, type Name, setattrValid, type Statfs, type Timespec } from "@bickford/protocol"
import * as Effect from "effect/Effect"
import type { Answered, Fault } from "./KernelSide.ts"
import { listEntries } from "./openFiles.ts"
import { mayChown, type OpenHandle, openHandle } from "./OpenHandle.ts"
import { attributes, type PathCalls, pathCalls, type Ruled, usingDirectory, walking } from "./PathCalls.ts"
import { setattr } from "./setattr.ts"

const { FATTR_ATIME, FATTR_GID, FATTR_MTIME, FATTR_UID } = setattrValid

/** A name in a directory, and its type (DT_*). */
export interface Listed {
  readonly name: Name
  readonly type: number
}

/** The calls of `PathCalls`, and those that tests do without. Paths are absolute. */
export interface LocalCalls<F extends Fault = never> extends PathCalls<F> {
  /** Opens a file, by open(2)'s flags; `mode` are the permissions of one that is made. */
  readonly open: (path: string, flags: number, mode?: number) => Answered<OpenHandle<F>, F>
  /** As `readdir`, with types. */
  readonly entries: (path: string) => Answered<ReadonlyArray<Listed>, F>
  /** The path without symbolic links, `.` and `..` (realpath(3)). */
  readonly realpath: (path: string) => Answered<string, F>
  /** EACCES unless the caller may: bits of R_OK (4), W_OK (2), X_OK (1); 0 asks whether it is there (access(2)). */
  readonly access: (path: string, mask?: number) => Answered<void, F>
  /** Sets owner and group; `follow` false: of a symbolic link itself. */
  readonly chown: (path: string, uid: number, gid: number, follow?: boolean) => Answered<void, F>
  /** Sets the times of reading and writing; `follow` false: of a symbolic link itself. */
  readonly utimes: (path: string, atime: Timespec, mtime: Timespec, follow?: boolean) => Answered<void, F>
  /** The filesystem's size (statfs(2)). */
  readonly statfs: (path: string) => Answered<Statfs, F>
}

/** The calls of a program with `rules` on the server that `kernel` talks to. */
export const localCalls = <F extends Fault>(ruled: Ruled<F>): LocalCalls<F> => {
  const { kernel, rules } = ruled
  return {
    ...pathCalls(kernel, rules),
    open: (path, flags, mode = 0o666) => openHandle(ruled, path, flags, mode),
    entries: (path) =>
      walking(ruled, (walk) =>
        Effect.flatMap(walk.find(path), (node) =>
          usingDirectory(ruled, node, (fh) => listEntries(kernel, walk, node.nodeid, fh))
        )
      ),
    realpath: (path) => walking(ruled, (walk) => walk.resolve(path)),
    access: (path, mask = 0) =>
      walking(ruled, (walk) => Effect.flatMap(walk.find(path), (node) => rules.access(node, mask))),
    chown: (path, uid, gid, follow = true) =>
      walking(ruled, (walk) =>
        Effect.gen(function* () {
          const node = yield* walk.find(path, follow)
          const attr: Attr = yield* attributes(kernel, node)
          yield* mayChown(ruled, attr, uid, gid)
          yield* setattr(kernel, node.nodeid, FATTR_UID | FATTR_GID, { newUid: uid, newGid: gid })
        })
      ),
    utimes: (path, atime, mtime, follow = true) =>
      walking(ruled, (walk) =>
        Effect.gen(function* () {
          const node = yield* walk.find(path, follow)
          yield* rules.own(node)
          yield* setattr(kernel, node.nodeid, FATTR_ATIME | FATTR_MTIME, { atime, mtime })
        })
      ),
    statfs: (path) =>
      walking(ruled, (walk) => Effect.flatMap(walk.find(path), ({ nodeid }) => kernel.call({ op: "statfs", nodeid })))
  }
}
