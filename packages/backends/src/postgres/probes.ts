/** What operations will ask for, so that all that is missing of it is loaded at once, and not one after the other. */
import type {
  CopyFileRangeRequest,
  LinkRequest,
  Name,
  ReadRequest,
  RenameRequest,
  U64,
  WriteRequest
} from "@bickford/protocol"
import { add, min, shiftLeft, shiftRight, subtract } from "@bickford/protocol/arithmetic"
import { isRegular } from "../posix/inode.ts"
import { nameTooLong } from "../posix/names.ts"
import { ContentBytes } from "./contentBytes.ts"
import type { StoredFilesystem } from "./filesystem.ts"
import { RowFault } from "./rowFault.ts"

type Store = Pick<StoredFilesystem, "filesystem" | "cache">

const chunkBits = 16

/** Where the first chunk begins that is stored after the one at `offset` and after so many others; undefined where there is none. */
const afterStored = (content: ContentBytes, offset: U64, chunks: number): U64 | undefined => {
  const position = content.rowAfter(shiftRight(offset, chunkBits), chunks)
  return position === undefined ? undefined : shiftLeft(position, chunkBits)
}

export const makeProbes = ({ cache, filesystem }: Store) => {
  const { inMemory, peek } = cache
  /** A name is loaded together with its directory. */
  const nameIn = (nodeid: U64, name: Name): void => {
    if (typeof nodeid !== "number" || nameTooLong(name)) return
    const found = inMemory(nodeid)
    if (found === undefined) throw new RowFault({ kind: "name", parent: nodeid, name })
    if (found.inode !== undefined) filesystem.directory(found.inode)?.get(name)
  }
  const contentOf = (nodeid: U64): { readonly content: ContentBytes; readonly size: U64 } | undefined => {
    const inode = typeof nodeid === "number" ? peek(nodeid) : undefined
    return inode !== undefined && isRegular(inode) && inode.content instanceof ContentBytes
      ? { content: inode.content, size: inode.size }
      : undefined
  }

  return {
    name: ({ name, nodeid }: { readonly name: Name; readonly nodeid: U64 }) => [() => nameIn(nodeid, name)],
    rename: ({ name, newdir, newname, nodeid }: RenameRequest) => [
      () => nameIn(nodeid, name),
      () => nameIn(newdir, newname)
    ],
    link: ({ newname, nodeid, oldnodeid }: LinkRequest) => [
      () => nameIn(nodeid, newname),
      () => typeof oldnodeid === "number" && peek(oldnodeid)
    ],
    read: ({ nodeid, offset, size }: ReadRequest) => [
      () => {
        const found = contentOf(nodeid)
        if (found !== undefined) found.content.needBytes(offset, min(found.size, add(offset, size)))
      }
    ],
    write: ({ data, nodeid, offset }: WriteRequest) => [
      () => contentOf(nodeid)?.content.needEdges(offset, add(offset, data.length))
    ],
    /**
     * How much of a copy can be made at once: no more than `chunksMax` chunks of either file are looked at. Throws a RowFault
     * while one of them is missing: a copy cannot be undone once it has begun.
     */
    copy: ({ len, nodeid, nodeidOut, offIn, offOut }: CopyFileRangeRequest, chunksMax: number): U64 => {
      const source = contentOf(nodeid)
      const target = contentOf(nodeidOut)
      if (source === undefined || target === undefined || len <= 0 || offIn >= source.size) return len
      const inSource = afterStored(source.content, offIn, chunksMax)
      const inTarget = afterStored(target.content, offOut, chunksMax)
      const fromSource = inSource === undefined ? len : min(len, subtract(inSource, offIn))
      const length = inTarget === undefined ? fromSource : min(fromSource, subtract(inTarget, offOut))
      source.content.needBytes(offIn, min(source.size, add(offIn, length)))
      target.content.needBytes(offOut, add(offOut, length))
      return length
    }
  }
}
