/** As `makeOpenFiles`, for files that any isolate may have opened: their handles are the addon's. */
import { errnoNumbers } from "@bickford/protocol"
import { files, type SharedFiles } from "@bickford/transport"
import type { Attributes } from "../attributes.ts"
import { keptFlags } from "../openFlags.ts"
import { Node } from "../node.ts"
import type { Nodes } from "../nodes.ts"
import type { OpenFiles } from "../openFiles.ts"

/** The kernel has it open by the node's registration. */
export const byKernelBit = 1
/** It was made as it was opened, to be new and to be written. */
export const madeBit = 2

export const makeSharedOpenFiles = (share: SharedFiles, nodes: Nodes, attributes: Attributes): OpenFiles => {
  const told = new Float64Array(4)

  /** One that was forgotten before its last RELEASE came: FORGET comes another way. */
  const nodeOf = (id: number): Node => nodes.get(id) ?? new Node(id, 0, nodes.root.identity, undefined, "")

  const open = (handle: number): number => {
    const status = share.opened(handle, told)
    if (status < 0) return status
    const [id = 0, flags = 0] = told
    const held = nodes.descriptor(nodeOf(id))
    const fd = held < 0 ? held : nodes.withRoom(() => files.fs_open(held, flags, 0))
    if (fd < 0) return fd
    const given = share.give_descriptor(handle, fd)
    if (given !== fd) files.fs_close(fd)
    return given
  }

  return {
    add: ({ byKernel, fd, flags, made, node }) => {
      // It is as good for those who open it next.
      if (byKernel && fd < 0) share.tell_opening(node.id, keptFlags, byKernelBit)
      return share.open(node.id, flags, (byKernel ? byKernelBit : 0) | (made ? madeBit : 0), fd)
    },
    descriptor: (handle) => {
      const fd = share.descriptor_of(Number(handle))
      return fd === -errnoNumbers.ENOENT ? open(Number(handle)) : fd
    },
    opened: (handle) => {
      const fd = share.descriptor_of(Number(handle))
      return fd < 0 ? undefined : fd
    },
    remove: (handle) => {
      if (share.close_file(Number(handle), told) < 0) return undefined
      const [id = 0, , bits = 0, fd = -1] = told
      const isMade = fd >= 0 && (bits & madeBit) !== 0
      if (isMade && files.fs_stat(fd) >= 0) share.note_made(attributes.size())
      if (fd >= 0) files.fs_close(fd)
      return { node: nodeOf(id), byKernel: (bits & byKernelBit) !== 0 }
    },
    lastMadeSize: () => share.last_made_size(),
    // They are closed with the last share.
    close: () => {}
  }
}
