/** A path filesystem driven through the session by a test that plays the kernel. */
import { type FakeKernel, FakeKernel as FakeKernels } from "@bickford/session/testing"
import type { Timespec, U64 } from "@bickford/protocol"
import * as Effect from "effect/Effect"
import { type PathCallbacks, PathFilesystem } from "../../src/index.ts"

const epoch = { sec: 0, nsec: 0 }
const readable = { readFlags: 0, lockOwner: 0, flags: 0 }

/** What a test asks for, by node and name. */
export const drive = <H>(callbacks: PathCallbacks<H>, options?: PathFilesystem.PathOptions) =>
  Effect.gen(function* () {
    const { kernel, session } = yield* FakeKernels.serve(PathFilesystem.make(callbacks, options))
    yield* kernel.init()
    return { kernel, session, ...operations(kernel) }
  })

const operations = (kernel: FakeKernel.FakeKernel) => ({
  lookup: (nodeid: U64, name: string) =>
    Effect.map(kernel.call({ op: "lookup", nodeid, name }), (entry) => entry.nodeid),
  getattr: (nodeid: U64) =>
    Effect.map(kernel.call({ op: "getattr", nodeid, getattrFlags: 0, fh: 0 }), ({ attr }) => attr),
  setSize: (nodeid: U64, size: number) =>
    kernel.call({
      op: "setattr",
      nodeid,
      fh: 0,
      valid: 8,
      size,
      lockOwner: 0,
      atime: epoch,
      mtime: epoch,
      ctime: epoch,
      mode: 0,
      newUid: 0,
      newGid: 0
    }),
  setattr: (
    nodeid: U64,
    valid: number,
    fields: { readonly mode?: number; readonly newUid?: number; readonly size?: U64; readonly mtime?: Timespec }
  ) =>
    Effect.map(
      kernel.call({
        op: "setattr",
        nodeid,
        fh: 0,
        valid,
        size: 0,
        lockOwner: 0,
        atime: epoch,
        mtime: epoch,
        ctime: epoch,
        mode: 0,
        newUid: 0,
        newGid: 0,
        ...fields
      }),
      ({ attr }) => attr
    ),
  setxattr: (nodeid: U64, name: string, value: string) =>
    kernel.call({ op: "setxattr", nodeid, name, value: Buffer.from(value), flags: 0, setxattrFlags: 0 }),
  getxattr: (nodeid: U64, name: string) => kernel.call({ op: "getxattr", nodeid, name, size: 4096 }),
  removexattr: (nodeid: U64, name: string) => kernel.call({ op: "removexattr", nodeid, name }),
  mkdir: (nodeid: U64, name: string) =>
    Effect.map(kernel.call({ op: "mkdir", nodeid, name, mode: 0o40755, umask: 0 }), (entry) => entry.nodeid),
  create: (nodeid: U64, name: string, flags = 0o302) =>
    Effect.map(
      kernel.call({ op: "create", nodeid, name, flags, mode: 0o100644, umask: 0, openFlags: 0 }),
      ({ entry, open }) => ({ nodeid: entry.nodeid, fh: open.fh })
    ),
  open: (nodeid: U64, flags = 2) => kernel.call({ op: "open", nodeid, flags, openFlags: 0 }),
  release: (nodeid: U64, fh: U64) =>
    kernel.call({ op: "release", nodeid, fh, flags: 0, releaseFlags: 0, lockOwner: 0 }),
  write: (nodeid: U64, fh: U64, text: string) =>
    kernel.call({
      op: "write",
      nodeid,
      fh,
      offset: 0,
      size: text.length,
      writeFlags: 0,
      lockOwner: 0,
      flags: 0,
      data: Buffer.from(text)
    }),
  read: (nodeid: U64, fh: U64) =>
    Effect.map(kernel.call({ op: "read", nodeid, fh, offset: 0, size: 4096, ...readable }), (data) =>
      Buffer.concat(data instanceof Uint8Array ? [data] : [...data]).toString()
    ),
  rename: (nodeid: U64, name: string, newdir: U64, newname: string, flags = 0) =>
    kernel.call({ op: "rename", nodeid, name, newdir, newname, flags }),
  link: (oldnodeid: U64, nodeid: U64, newname: string) =>
    Effect.map(kernel.call({ op: "link", nodeid, oldnodeid, newname }), (entry) => entry.nodeid),
  unlink: (nodeid: U64, name: string) => kernel.call({ op: "unlink", nodeid, name }),
  rmdir: (nodeid: U64, name: string) => kernel.call({ op: "rmdir", nodeid, name }),
  opendir: (nodeid: U64) => Effect.map(kernel.call({ op: "opendir", nodeid, flags: 0, openFlags: 0 }), ({ fh }) => fh),
  readdir: (nodeid: U64, fh: U64, offset: U64 = 0, size = 4096) =>
    Effect.map(kernel.call({ op: "readdir", nodeid, fh, offset, size, ...readable }), (entries) => Array.from(entries)),
  readdirplus: (nodeid: U64, fh: U64, offset: U64 = 0, size = 4096) =>
    Effect.map(kernel.call({ op: "readdirplus", nodeid, fh, offset, size, ...readable }), (entries) =>
      Array.from(entries)
    ),
  /** The names in a directory, by a listing of its own. */
  names: (nodeid: U64) =>
    Effect.gen(function* () {
      const { fh } = yield* kernel.call({ op: "opendir", nodeid, flags: 0, openFlags: 0 })
      const entries = yield* kernel.call({ op: "readdir", nodeid, fh, offset: 0, size: 4096, ...readable })
      return Array.from(entries, ({ name }) => String(name)).filter((name) => name !== "." && name !== "..")
    })
})
