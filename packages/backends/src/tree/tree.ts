/** A read-only filesystem out of nested objects. */
import { described, printable } from "@bickford/protocol"
import { type Backend, Errno } from "@bickford/session"
import * as Stream from "effect/Stream"
import { fileType, type PathAttributes } from "../path/callbacks.ts"
import { bytes } from "../path/data.ts"
import { andThen, type Answer, map, outcome, type Outcome } from "../path/outcome.ts"
import { checkOptions } from "../checkOptions.ts"
import { pathChecks } from "../path/served.ts"
import { make, type PathOptions } from "../path/PathFilesystem.ts"
import { O_ACCMODE } from "../posix/linux.ts"
import { type Content, openContent, type OpenContent } from "./openContent.ts"

/**
 * A file: its content, or a function that makes it anew each time the file is opened (its size is then
 * unknown beforehand). A folder: an object, or `folder(list)`, which is asked whenever somebody looks.
 */
export type TreeNode = Content | (() => Answer<Content>) | LazyFolder | { readonly [name: string]: TreeNode }

const lazy: unique symbol = Symbol("bickford/LazyFolder")

/** A directory whose entries are listed whenever somebody looks. */
export interface LazyFolder {
  /** Asked at each look. */
  readonly [lazy]: () => Answer<{ readonly [name: string]: TreeNode }>
}

/** A folder whose entries are listed when somebody looks. */
export const folder = (list: () => Answer<{ readonly [name: string]: TreeNode }>): LazyFolder => ({ [lazy]: list })

const isLazy = (node: TreeNode): node is LazyFolder => typeof node === "object" && lazy in node
const isFile = (node: TreeNode): node is Content | (() => Answer<Content>) =>
  typeof node === "string" || typeof node === "function" || node instanceof Uint8Array || Stream.isStream(node)

/** TypeScript's callers are told by the types what a node is. */
const checked = (node: TreeNode, path: string): TreeNode => {
  if (isFile(node) || (typeof node === "object" && node !== null)) return node
  throw new TypeError(
    `tree: ${printable(path)} is ${described(node)}; expected: text, bytes, a stream, a function that makes one of them, or a directory`
  )
}

/**
 * Serves `root`, read-only. With timeouts of 0 (the default) what changes is seen at once, and
 * by default the opening of a file is stopped for a caller that is killed.
 */
export const tree = (root: { readonly [name: string]: TreeNode } | LazyFolder, options: PathOptions = {}): Backend => {
  checkOptions("tree", options, pathChecks)
  if (typeof root !== "object" || root === null || isFile(root as TreeNode))
    throw new TypeError(
      `tree: the root is ${described(root)}; it must be an object of files and folders, or folder(...)`
    )
  const entries = (node: TreeNode): Outcome<{ readonly [name: string]: TreeNode }> => {
    if (isFile(node)) return Errno.ENOTDIR
    return isLazy(node) ? outcome(() => node[lazy]()) : outcome(() => node)
  }

  const find = (path: string): Outcome<TreeNode> =>
    path
      .split("/")
      .filter((part) => part !== "")
      .reduce<Outcome<TreeNode>>(
        (above, name) =>
          andThen(above, (node) =>
            andThen(entries(node), (names): Outcome<TreeNode> => {
              const found = Object.hasOwn(names, name) ? names[name] : undefined
              return found === undefined ? Errno.ENOENT : outcome(() => checked(found, path))
            })
          ),
        outcome(() => root as TreeNode)
      )

  return make<OpenContent>(
    {
      getattr: (path) =>
        map(find(path), (node): PathAttributes => {
          if (!isFile(node)) return { mode: fileType.dir | 0o555 }
          const size = typeof node === "string" || node instanceof Uint8Array ? bytes(node).length : undefined
          return { mode: fileType.reg | 0o444, size }
        }),
      readdir: (path) => map(andThen(find(path), entries), Object.keys),
      open: (path, flags) =>
        (flags & O_ACCMODE) !== 0
          ? Errno.EROFS
          : andThen(find(path), (node) => {
              if (!isFile(node)) return Errno.EISDIR
              return map(typeof node === "function" ? outcome(node) : outcome((): Content => node), openContent)
            }),
      read: (content, size, offset) => content.read(size, Number(offset)),
      release: (content) => content.close
    },
    { entryTimeout: 0, attrTimeout: 0, interruptible: { open: "fatal" }, ...options }
  )
}
