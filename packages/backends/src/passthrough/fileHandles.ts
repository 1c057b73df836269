/**
 * File handles (open_by_handle_at(2)), by which a file of the served filesystem is found again without its path. Only a
 * process with CAP_DAC_READ_SEARCH may, and it may lose that: then none are taken any more.
 */
import { errnoNumbers } from "@bickford/protocol"
import { files, type SharedFiles } from "@bickford/transport"
import type { Node } from "./node.ts"

const { EPERM } = errnoNumbers
const O_DIRECTORY = 0o200000
/** MAX_HANDLE_SZ and a header, in bytes. */
export const handleRoom = 132

export interface FileHandles {
  /** A descriptor (O_PATH) of the node's file, or a negative errno; -EPERM where handles cannot be used. */
  readonly open: (node: Node) => number
  /** Takes the handle of the node's file, open as `fd`. False where handles cannot be used. */
  readonly record: (node: Node, fd: number) => boolean
  readonly close: () => void
}

/** Whose the descriptor is that handles are opened by: it is closed by `let_go`, or with its owner. */
type Owner = Pick<SharedFiles, "hold" | "let_go">

const nobody: Owner = { hold: () => 0, let_go: files.fs_close }

export const makeFileHandles = (rootFd: number, rootDevice: number, owner: Owner = nobody): FileHandles => {
  const room = new Uint8Array(handleRoom)
  // What open_by_handle_at takes is a descriptor that is not O_PATH.
  const mount = files.fs_open(rootFd, O_DIRECTORY, 0)
  if (mount >= 0) owner.hold(mount)

  /** Whether a file is found by its handle: the root is. Where that is not allowed, nothing tells before it is tried. */
  const findsByHandle = (): boolean => {
    if (mount < 0) return false
    const length = files.fs_handle_of(rootFd, room)
    const fd = length < 0 ? length : files.fs_open_handle(mount, room.subarray(0, length))
    if (fd >= 0) files.fs_close(fd)
    return fd >= 0
  }
  let usable = findsByHandle()

  return {
    open: (node) => {
      const fd = usable && node.handle !== undefined ? files.fs_open_handle(mount, node.handle) : -EPERM
      // The capability may have been given up since the start.
      if (fd === -EPERM && node.handle !== undefined) usable = false
      return fd
    },
    record: (node, fd) => {
      if (node.handle !== undefined) return true
      if (!usable || node.identity.device !== rootDevice) return false
      const length = files.fs_handle_of(fd, room)
      if (length < 0) usable = false
      else node.handle = room.slice(0, length)
      return usable
    },
    close: () => {
      if (mount >= 0) owner.let_go(mount)
    }
  }
}
