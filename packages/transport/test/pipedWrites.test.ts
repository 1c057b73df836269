/** Data that is in a pipe, and the pipes that there are for it. */
import { assert, describe, it } from "@effect/vitest"
import { randomBytes } from "node:crypto"
import { closeSync, mkdtempSync, openSync, readdirSync, readFileSync, rmSync } from "node:fs"
import { constants, tmpdir } from "node:os"
import { join } from "node:path"
import { addon } from "../src/native.ts"
import { PipedData } from "../src/device/PipedData.ts"
import { closePipe, makePipePool, openPipe, type Pipe } from "../src/device/pipes.ts"

const { EBADF, EIO } = constants.errno
const content = randomBytes(300_000)
const descriptors = (): number => readdirSync("/proc/self/fd").length

const withPipe = (body: (pipe: Pipe, folder: string) => void): void => {
  const folder = mkdtempSync(join(tmpdir(), "bickford-piped-"))
  const pipe = openPipe(1 << 20)
  if (pipe === undefined) throw new Error("no pipe")
  try {
    body(pipe, folder)
  } finally {
    closePipe(pipe)
    rmSync(folder, { recursive: true })
  }
}

const filled = (pipe: Pipe): PipedData => {
  assert.strictEqual(addon.write_frame(pipe.write, content), content.length)
  return new PipedData(pipe, new Uint8Array(content.length))
}

const withFile = (path: string, flags: string, body: (fd: number) => void): Buffer => {
  const fd = openSync(path, flags)
  try {
    body(fd)
  } finally {
    closeSync(fd)
  }
  return readFileSync(path)
}

describe("data in a pipe", () => {
  it("is spliced to a file, at an offset, once", () =>
    withPipe((pipe, folder) => {
      const data = filled(pipe)
      const got = withFile(join(folder, "file"), "w", (fd) => {
        assert.strictEqual(data.spliceTo(fd, 5000), content.length)
        assert.strictEqual(data.spliceTo(fd, 0), -EIO)
        assert.strictEqual(data.read(), -EIO)
      })
      assert.isTrue(got.equals(Buffer.concat([Buffer.alloc(5000), content])))
      assert.deepStrictEqual(data.letGo(), { pipe, left: 0 })
    }))

  it("is read to its memory, and from there to a file", () =>
    withPipe((pipe, folder) => {
      const data = filled(pipe)
      assert.strictEqual(data.read(), 0)
      assert.strictEqual(data.read(), 0)
      assert.isTrue(content.equals(data.memory))
      assert.isTrue(withFile(join(folder, "file"), "w", (fd) => data.spliceTo(fd, 0)).equals(content))
      assert.deepStrictEqual(data.letGo(), { pipe, left: 0 })
      data.end()
      assert.strictEqual(data.read(), -EIO)
    }))

  it("reaches a file that cannot be spliced to, by way of memory", () =>
    withPipe((pipe, folder) => {
      const data = filled(pipe)
      // Open to append: EINVAL.
      const got = withFile(join(folder, "file"), "a", (fd) => assert.strictEqual(data.spliceTo(fd, 0), content.length))
      assert.isTrue(got.equals(content))
    }))

  it("stays, when the file is none: another one can have it, and what is left goes with the pipe", () =>
    withPipe((pipe, folder) => {
      const data = filled(pipe)
      assert.strictEqual(data.spliceTo(1_000_000, 0), -EBADF)
      assert.isFalse(data.taken)
      assert.isTrue(withFile(join(folder, "file"), "w", (fd) => data.spliceTo(fd, 0)).equals(content))
      const unread = filled(pipe)
      assert.deepStrictEqual(unread.letGo(), { pipe, left: content.length })
      assert.strictEqual(unread.read(), -EIO)
    }))
})

describe("a pool of pipes", () => {
  it("opens no more than it may, and uses again what comes back empty", () => {
    const before = descriptors()
    const pool = makePipePool(1 << 20, 2)
    assert.strictEqual(descriptors(), before)
    const [first, second] = [pool.take(), pool.take()]
    if (first === undefined || second === undefined) throw new Error("no pipe")
    assert.isUndefined(pool.take())
    pool.give(first, 0)
    assert.strictEqual(pool.take(), first)
    pool.give(first, 0)
    pool.give(second, 1)
    assert.strictEqual(descriptors(), before + 2, "one with bytes in it is closed")
    const used = pool.take()
    pool.close()
    assert.strictEqual(descriptors(), before + 2)
    if (used !== undefined) pool.give(used, 0)
    assert.strictEqual(descriptors(), before)
    assert.isUndefined(pool.take())
  })

  it("has none where no pipe can be so large", () => {
    const before = descriptors()
    // More than a pipe can have, whoever asks (2^31 bytes).
    const pool = makePipePool(0x7fff_0000, 2)
    assert.isUndefined(pool.take())
    assert.isUndefined(pool.take())
    assert.strictEqual(descriptors(), before)
  })
})
