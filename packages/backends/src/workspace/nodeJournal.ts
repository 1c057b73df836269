/**
 * What the kernel knows of the base, for the next server of the same connection: node ids, and where each file lies. A
 * server that is killed leaves it in the kernel's memory; when the connection is another one, it begins anew.
 *
 * A record is written before the reply that names its node is sent. It need not survive a power cut: neither does the mount.
 */
import { type Name, nameFromBytes, nameToBytes } from "@bickford/protocol"
import { normal } from "@bickford/protocol/arithmetic"
import { closeSync, ftruncateSync, openSync, readFileSync, rmSync, writeSync } from "node:fs"
import type { Identity } from "../passthrough/attributes.ts"

/** Where a node lies in the base. */
export interface RecordedNode {
  readonly ino: number
  readonly identity: Identity
  /** The number of the directory that has it. */
  readonly parent: number
  readonly name: Name
}

// A record: its length, then numbers of 64 bits, then the name.
const lengthBytes = 4
const fixedBytes = lengthBytes + 5 * 8

const encode = ({ identity, ino, name, parent }: RecordedNode, into: Buffer, at: number): number => {
  const bytes = nameToBytes(name)
  const length = fixedBytes + bytes.length
  into.writeUInt32LE(length, at)
  into.writeDoubleLE(ino, at + 4)
  into.writeDoubleLE(parent, at + 12)
  into.writeDoubleLE(identity.device, at + 20)
  into.writeBigUInt64LE(BigInt(identity.ino), at + 28)
  into.writeDoubleLE(identity.birth, at + 36)
  into.set(bytes, at + fixedBytes)
  return at + length
}

const decode = (bytes: Buffer): Map<number, RecordedNode> => {
  const nodes = new Map<number, RecordedNode>()
  for (let at = 0; at + fixedBytes <= bytes.length;) {
    const length = bytes.readUInt32LE(at)
    if (length < fixedBytes || at + length > bytes.length) break
    const ino = bytes.readDoubleLE(at + 4)
    nodes.set(ino, {
      ino,
      parent: bytes.readDoubleLE(at + 12),
      identity: {
        device: bytes.readDoubleLE(at + 20),
        ino: normal(bytes.readBigUInt64LE(at + 28)),
        birth: bytes.readDoubleLE(at + 36)
      },
      name: nameFromBytes(bytes.subarray(at + fixedBytes, at + length))
    })
    at += length
  }
  return nodes
}

const read = (path: string): Buffer => {
  try {
    return readFileSync(path)
  } catch {
    return Buffer.alloc(0)
  }
}

/** Removes the journal at a path, if it is there. */
const removeNodeJournal = (path: string): void => rmSync(path, { force: true })

/** Opens the journal at a path. Its file is made when there is something to write. */
export const openNodeJournal = (path: string) => {
  let found = decode(read(path))
  let fd = -1
  let pending = Buffer.alloc(64 * 1024)
  let used = 0
  let ended = false

  const flush = (): void => {
    if (fd < 0) fd = openSync(path, "a", 0o600)
    for (let done = 0; done < used;) done += writeSync(fd, pending, done, used - done)
    used = 0
  }

  return {
    /** Where an earlier server of the connection has seen a node. */
    find: (ino: number): RecordedNode | undefined => found.get(ino),
    record: (node: RecordedNode): void => {
      const length = fixedBytes + 4 * (typeof node.name === "string" ? node.name.length : node.name.length)
      if (used + length > pending.length) {
        const larger = Buffer.alloc(2 * pending.length)
        pending.copy(larger, 0, 0, used)
        pending = larger
      }
      used = encode(node, pending, used)
    },
    /** Before replies are sent. */
    flush: (): void => {
      if (used > 0) flush()
    },
    /** Another connection is served: what was known to the last one's kernel is known to none. */
    begin: (): void => {
      found = new Map()
      if (fd >= 0) ftruncateSync(fd, 0)
      else removeNodeJournal(path)
    },
    /** The connection has come to its end. */
    end: (): void => {
      ended = true
    },
    close: (): void => {
      if (used > 0 && !ended) flush()
      if (fd >= 0) closeSync(fd)
      if (ended) removeNodeJournal(path)
    }
  }
}

export type NodeJournal = ReturnType<typeof openNodeJournal>
