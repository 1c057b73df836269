/**
 * Files of a served directory that several isolates of this process know: nodes, lookup counts, where each was seen last, open files.
 *
 * They are the addon's, and last as long as an isolate has a share of them. Each call takes one lock and gives it back before it
 * returns, so that a thread that is ended leaves them consistent. Numbers of nodes and of open files are never used twice. A call
 * answers a negative errno where it fails: -EBADF once the share is closed.
 */
import type { U64 } from "@bickford/protocol"
import type { RequestAnswerer } from "../ring/Ring.ts"
import type { FileName } from "./calls.ts"

/** One isolate's share of the files. */
export interface SharedFiles {
  /** By which another isolate of this process finds them. */
  readonly number: number
  /**
   * statx(2) of a name; fills the attributes. Its file's node, which was seen in the directory `parent` (a node, or 0 where that is
   * not to be noted) under that name; 0 for a file that has none. With `count` 1 it has one lookup more.
   */
  readonly look: (folder: number, name: FileName, parent: number, count: 0 | 1) => number
  /** The node of the file that was looked at last; 0 where it has none. */
  readonly find: () => number
  /** Likewise, made where there was none, with one lookup more. The name "" is that of a file that has none. */
  readonly adopt: (parent: number, name: FileName) => number
  /** Which file a node is, in words: inode number (2), birth (seconds in 2, nanoseconds), major and minor number of its device. */
  readonly describe: (node: number, into: Uint32Array) => number
  /** The directory in which a node was seen last; 0 where that is not known. */
  readonly parent_of: (node: number) => number
  /** 1 when what has the node's name in the directory `folder` is its file. Fills the attributes. */
  readonly is_in: (node: number, folder: number) => number
  /** The length of a node's name, and its bytes. */
  readonly name_of: (node: number, into: Uint8Array) => number
  /** Takes lookups back; at none the node is gone. The id of a registration that is to be closed then, or 0. */
  readonly forget: (node: number, lookups: number) => number
  /** 1 when nodes were forgotten since they were asked for last. */
  readonly has_forgotten: () => number
  /** Those nodes. */
  readonly forgotten: () => ReadonlyArray<number> | number
  /** Gives the share a descriptor, which is closed with it at the latest. */
  readonly hold: (fd: number) => number
  /** Closes it. */
  readonly let_go: (fd: number) => number
  /** By which descriptor the answerer may look at a node, which is not closed meanwhile; -1: by none any more. */
  readonly tell_descriptor: (node: number, fd: number) => number
  /** The node, whose descriptor was told, is a directory beneath the root for so many milliseconds. The root is one always. */
  readonly tell_beneath: (node: number, milliseconds: number) => number
  /**
   * The kernel alone may open the node, whose descriptor was told, by the registration that it has while that is kept: with these of
   * open(2)'s flags, and these bits.
   */
  readonly tell_opening: (node: number, flags: number, bits: number) => number
  /** 1 when the answerer has used the node's descriptor since this was asked last. */
  readonly take_used: (node: number) => number
  /**
   * What answers LOOKUP, GETATTR, UNLINK, RMDIR, OPEN of files that the kernel alone opens (`backedBits` tells them), and RELEASE of these and
   * of others that the kernel has not registered, by this share, as long as that is not closed. The size of one with `madeBits` is noted, as by
   * `note_made`. `valid`: seconds and nanoseconds for which the kernel may
   * trust entries, attributes, and names that are not there (-1: those are ENOENT). It leaves to JavaScript what has a name of
   * `covered`, each ended by a NUL, and all that it is not sure of.
   */
  readonly answerer: (
    valid: Float64Array,
    covered: Uint8Array,
    backedBits: number,
    madeBits: number
  ) => RequestAnswerer | number
  /** By what a node is found without a descriptor (`fs_handle_of`): the first that is told stays. */
  readonly record_handle: (node: number, handle: Uint8Array) => number
  /** Its length, and its bytes; 0 where none was recorded. */
  readonly handle_of: (node: number, into: Uint8Array) => number
  /** 1 when the thread was noted with the node, and then no more; 0 when it was not, and is now. */
  readonly was_sent_back: (node: number, pid: number) => number
  /** A name was removed from a directory, or replaced in it: the last ones are remembered. */
  readonly note_removed: (directory: number, name: FileName) => number
  /** 1 when that was noted of the name by which the node was seen last. */
  readonly was_removed: (node: number) => number
  /** A file that was opened, with its descriptor or -1: its handle. */
  readonly open: (node: number, flags: number, bits: number, fd: number) => number
  /** The descriptor of an open file; -ENOENT when it has none yet, -ESTALE when there is no such file. */
  readonly descriptor_of: (handle: number) => number
  /** Node, flags, bits, and descriptor or -1, of an open file. */
  readonly opened: (handle: number, into: Float64Array) => number
  /** Gives an open file its descriptor: the one that it has then. It is another's when that was quicker. */
  readonly give_descriptor: (handle: number, fd: number) => number
  /** As `opened`, and it is open no more. Its descriptor is the caller's to close. */
  readonly close_file: (handle: number, into: Float64Array) => number
  /** A file that was made as it was opened is closed, with so many bytes in it. */
  readonly note_made: (size: U64) => number
  /** Bytes of the last of those, whichever isolate closed it; Number.MAX_SAFE_INTEGER before the first. */
  readonly last_made_size: () => number
  /** A descriptor (O_PATH) of a node that somebody has open; -ESTALE where nobody has. */
  readonly reopen: (node: number) => number
  /** How many have a node open. */
  readonly opens: (node: number) => number
  /** How many of those without a descriptor. */
  readonly unopened: (node: number) => number
  /** The id of a node's registration with the kernel, for one more who opens it; 0 where there is none; with `keptOnly`, -EBUSY for one that is not kept. */
  readonly backing: (node: number, keptOnly: 0 | 1) => number
  /** Notes a registration, for one who opens the node. The one that counts: it is another's when that was quicker. */
  readonly register_backing: (node: number, id: number, kept: 0 | 1) => number
  /** One who had it open by its registration has closed it: the id that is to be closed, or 0. */
  readonly close_backing: (node: number) => number
  /** The registration is not kept any more: likewise. */
  readonly let_backing_go: (node: number) => number
  /** 1 while somebody has the node open by its registration. */
  readonly is_backed: (node: number) => number
  /** How many nodes there are, the root included. */
  readonly count: () => number
  /** What is wrong, a sentence each. For tests. */
  readonly invariants: () => ReadonlyArray<string> | number
  /** Closes the descriptors that the share holds. Idempotent. */
  readonly close: () => void
}
