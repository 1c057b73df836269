/** The files that several isolates share: nodes, lookup counts, open files, registrations. */
import { attachFiles, files, type SharedFiles } from "@bickford/transport"
import { execFileSync } from "node:child_process"
import {
  closeSync,
  fstatSync,
  linkSync,
  mkdirSync,
  mkdtempSync,
  openSync,
  renameSync,
  rmSync,
  writeFileSync
} from "node:fs"
import { tmpdir } from "node:os"
import { join } from "node:path"
import { fileURLToPath } from "node:url"
import { Worker } from "node:worker_threads"
import { afterEach, assert, beforeEach, describe, it } from "vitest"

const O_PATH = 0o10000000
const { EBADF, EINVAL, ENOENT, ESTALE } = { EBADF: 9, EINVAL: 22, ENOENT: 2, ESTALE: 116 }
const rootId = 1

let directory = ""
let root = -1
let share: SharedFiles

const attach = (number?: number): SharedFiles => {
  const attached = attachFiles(number)
  if (typeof attached === "number") throw new Error(`errno ${-attached}`)
  return attached
}

beforeEach(() => {
  directory = mkdtempSync(join(tmpdir(), "bickford-shared-"))
  root = files.fs_open_folder(directory)
  files.fs_stat(root)
  share = attach()
})

afterEach(() => {
  assert.deepStrictEqual(share.invariants(), [])
  share.close()
  files.fs_close(root)
  rmSync(directory, { recursive: true })
})

/** As a backend does it: the node of a name in a directory, with one lookup more. */
const lookUp = (of: SharedFiles, folder: number, name: string, parent = rootId): number => {
  const known = of.look(folder, name, parent, 1)
  return known === 0 ? of.adopt(parent, name) : known
}

describe("nodes", () => {
  it("are one for all hard links of a file, and gone with its last lookup", () => {
    writeFileSync(join(directory, "one"), "")
    linkSync(join(directory, "one"), join(directory, "two"))
    const node = lookUp(share, root, "one")
    assert.strictEqual(lookUp(share, root, "two"), node)
    assert.strictEqual(share.count(), 2)
    share.forget(node, 1)
    assert.strictEqual(share.look(root, "one", 0, 0), node)
    share.forget(node, 1)
    assert.strictEqual(share.look(root, "one", 0, 0), 0)
    assert.notStrictEqual(lookUp(share, root, "one"), node, "a node's number was used again")
    share.forget(share.find(), 1)
  })

  it("are not found for a missing name, and refuse what is no name", () => {
    assert.strictEqual(share.look(root, "missing", rootId, 1), -ENOENT)
    assert.isBelow(share.look(root, "..", rootId, 1), 0)
    assert.isBelow(share.look(root, "a/b", rootId, 1), 0)
  })

  it("know where they were seen last", () => {
    mkdirSync(join(directory, "sub"))
    writeFileSync(join(directory, "sub", "file"), "")
    const sub = lookUp(share, root, "sub")
    const folder = files.fs_find(root, "sub")
    const file = lookUp(share, folder, "file", sub)
    assert.strictEqual(share.parent_of(file), sub)
    assert.strictEqual(share.is_in(file, folder), 1)
    renameSync(join(directory, "sub", "file"), join(directory, "moved"))
    assert.strictEqual(share.is_in(file, folder), 0)
    share.look(root, "moved", rootId, 0)
    const name = new Uint8Array(300)
    assert.strictEqual(Buffer.from(name.subarray(0, share.name_of(file, name))).toString(), "moved")
    assert.strictEqual(share.is_in(file, root), 1)
    files.fs_close(folder)
    share.forget(file, 1)
    share.forget(sub, 1)
    assert.strictEqual(share.parent_of(file), 0)
  })

  it("are described by what tells the file", () => {
    writeFileSync(join(directory, "file"), "")
    const node = lookUp(share, root, "file")
    const words = new Uint32Array(7)
    assert.strictEqual(share.describe(node, words), 0)
    const fd = openSync(join(directory, "file"), "r")
    assert.strictEqual(words[0], Number(BigInt.asUintN(32, BigInt(fstatSync(fd).ino))))
    closeSync(fd)
    share.forget(node, 1)
    assert.strictEqual(share.describe(node, words), -ESTALE)
  })

  it("have a thread sent back once", () => {
    writeFileSync(join(directory, "file"), "")
    const node = lookUp(share, root, "file")
    assert.deepStrictEqual(
      [10, 10, 10, 11, 10].map((pid) => share.was_sent_back(node, pid)),
      [0, 1, 0, 0, 1]
    )
    share.forget(node, 1)
  })
})

describe("open files", () => {
  it("are those of all shares, until they are closed", () => {
    writeFileSync(join(directory, "file"), "text")
    const node = lookUp(share, root, "file")
    const other = attach(share.number)
    const handle = other.open(node, 2, 1, -1)
    assert.strictEqual(share.descriptor_of(handle), -ENOENT)
    assert.strictEqual(share.unopened(node), 1)
    assert.strictEqual(share.reopen(node), -ESTALE)
    const fd = openSync(join(directory, "file"), "r")
    assert.strictEqual(share.give_descriptor(handle, fd), fd)
    assert.strictEqual(other.give_descriptor(handle, 9999), fd, "the second descriptor was taken")
    assert.strictEqual(share.unopened(node), 0)
    const again = share.reopen(node)
    assert.strictEqual(fstatSync(again).ino, fstatSync(fd).ino)
    closeSync(again)
    other.close()
    assert.strictEqual(share.opens(node), 1)
    const told = new Float64Array(4)
    assert.strictEqual(share.close_file(handle, told), 0)
    assert.deepStrictEqual([...told], [node, 2, 1, fd])
    assert.strictEqual(share.close_file(handle, told), -ESTALE)
    closeSync(fd)
    share.forget(node, 1)
  })

  it("may outlast their node: FORGET comes another way than RELEASE", () => {
    writeFileSync(join(directory, "file"), "")
    const node = lookUp(share, root, "file")
    const handle = share.open(node, 0, 0, -1)
    share.forget(node, 1)
    assert.strictEqual(share.close_file(handle, new Float64Array(4)), 0)
  })
})

describe("registrations", () => {
  it("are one for all who have a file open, and closed with the last, unless they are kept", () => {
    writeFileSync(join(directory, "file"), "")
    const node = lookUp(share, root, "file")
    assert.strictEqual(share.backing(node, 0), 0)
    assert.strictEqual(share.register_backing(node, 7, 0), 7)
    assert.strictEqual(share.register_backing(node, 8, 0), 7, "a file has two registrations")
    assert.isBelow(share.backing(node, 1), 0)
    assert.strictEqual(share.is_backed(node), 1)
    assert.deepStrictEqual([share.close_backing(node), share.close_backing(node)], [0, 7])
    share.register_backing(node, 9, 1)
    assert.deepStrictEqual([share.close_backing(node), share.backing(node, 1), share.close_backing(node)], [0, 9, 0])
    assert.strictEqual(share.let_backing_go(node), 9)
    share.register_backing(node, 10, 1)
    share.close_backing(node)
    assert.strictEqual(share.forget(node, 1), 10, "the registration of a node that is gone is not closed")
  })
})

describe("names that were removed", () => {
  it("are known to all, of a node by where it was seen last", () => {
    writeFileSync(join(directory, "file"), "")
    const node = lookUp(share, root, "file")
    const other = attach(share.number)
    assert.strictEqual(other.was_removed(node), 0)
    share.note_removed(rootId, "other")
    assert.strictEqual(other.was_removed(node), 0)
    share.note_removed(rootId, "file")
    assert.strictEqual(other.was_removed(node), 1)
    share.note_removed(node + 64, "no directory")
    for (let n = 0; n < 64; n++) share.note_removed(rootId, `n${n}`)
    assert.strictEqual(other.was_removed(node), 0, "more are remembered than the last ones")
    assert.strictEqual(other.was_removed(node + 64), 0)
    other.close()
    share.forget(node, 1)
  })
})

it("knows how large the last file was that was made, whoever closed it", () => {
  const other = attach(share.number)
  assert.strictEqual(other.last_made_size(), Number.MAX_SAFE_INTEGER)
  share.note_made(12)
  other.note_made(2n ** 40n)
  assert.strictEqual(share.last_made_size(), 2 ** 40)
  other.close()
  assert.strictEqual(other.note_made(1), -EBADF)
  assert.strictEqual(other.last_made_size(), -EBADF)
})

describe("what answers by a share", () => {
  const valid = Float64Array.of(1, 0, 1, 0, -1, 0)

  it("is made of times and names, and may outlive the share", () => {
    assert.strictEqual(share.answerer(Float64Array.of(1), new Uint8Array(0), 1, 2), -EINVAL)
    assert.isObject(share.answerer(valid, new Uint8Array(0), 1, 2))
    const other = attach(share.number)
    other.tell_descriptor(rootId, root)
    other.tell_beneath(rootId, 1000)
    assert.isObject(other.answerer(valid, Buffer.from("name\0other\0"), 1, 2))
    // Nothing was asked yet.
    assert.strictEqual(other.take_used(rootId), 0)
    other.tell_descriptor(rootId, -1)
    other.close()
    assert.strictEqual(other.answerer(valid, new Uint8Array(0), 1, 2), -EBADF)
  })
})

describe("a share", () => {
  it("is told what others forgot, and closes its descriptors at its end", () => {
    writeFileSync(join(directory, "file"), "")
    const other = attach(share.number)
    const node = lookUp(share, root, "file")
    const fd = openSync(join(directory, "file"), O_PATH)
    other.hold(fd)
    share.forget(node, 1)
    assert.strictEqual(other.has_forgotten(), 1)
    assert.deepStrictEqual(other.forgotten(), [node])
    assert.strictEqual(other.has_forgotten(), 0)
    other.close()
    assert.throws(() => fstatSync(fd))
    assert.isBelow(other.look(root, "file", rootId, 1), 0)
  })

  it("ends with its thread, however that ends; what is shared stays", async () => {
    writeFileSync(join(directory, "file"), "")
    const node = lookUp(share, root, "file")
    const program = `
      const { parentPort, workerData } = require("node:worker_threads")
      const { openSync } = require("node:fs")
      const share = require(workerData.addon).attach_files(workerData.number)
      const fd = openSync(workerData.file, ${O_PATH})
      share.hold(fd)
      parentPort.postMessage({ fd, handle: share.open(${node}, 0, 0, -1) })
      for (;;) share.look(${root}, "file", ${rootId}, 0)`
    const addon = fileURLToPath(new URL("../../../native/build/Release/bickford.node", import.meta.url))
    const worker = new Worker(program, {
      eval: true,
      workerData: { addon: process.env["BICKFORD_ADDON"] ?? addon, number: share.number, file: join(directory, "file") }
    })
    const { fd, handle } = await new Promise<{ fd: number; handle: number }>((resolve, reject) => {
      worker.on("message", resolve)
      worker.on("error", reject)
    })
    assert.isAtLeast(fstatSync(fd).ino, 1)
    await worker.terminate()
    assert.throws(() => fstatSync(fd), "EBADF")
    assert.strictEqual(share.close_file(handle, new Float64Array(4)), 0)
    share.forget(node, 1)
    assert.strictEqual(share.has_forgotten(), 1)
  })

  it("cannot be joined any more once its last user has closed it", () => {
    files.fs_stat(root)
    const other = attach()
    other.close()
    assert.strictEqual(attachFiles(other.number), -ENOENT)
  })
})

describe("threads at once", () => {
  for (const sanitizer of ["thread", "address,undefined"]) {
    it(`find nothing wrong, nor does -fsanitize=${sanitizer}`, () => {
      const native = fileURLToPath(new URL("../../../native", import.meta.url))
      const program = join(directory, "program")
      const sources = [join(native, "test", "shared_files.cc"), join(native, "src", "shared_files.cc")]
      execFileSync("g++", [
        "-std=c++17",
        "-O1",
        "-g",
        "-D_GNU_SOURCE",
        `-fsanitize=${sanitizer}`,
        "-pthread",
        "-o",
        program,
        ...sources
      ])
      // It has a sanitizer of its own: that of the run that this test may be part of (scripts/asan.mjs) is not preloaded.
      const { ASAN_OPTIONS: _, LD_PRELOAD: __, UBSAN_OPTIONS: ___, ...env } = process.env
      assert.strictEqual(execFileSync(program, { encoding: "utf8", env }), "")
    })
  }
})
