import { assert, describe, it } from "@effect/vitest"
import { makeFilesystem } from "../../src/memory/filesystem.ts"
import { invariantsOf } from "../../src/posix/invariants.ts"
import { S_IFREG } from "../../src/posix/linux.ts"
import { epoch, rootNode } from "./kernel.ts"

/** A filesystem with a file of two names, `a` and `b`. */
const make = () => {
  const { filesystem: fs, usage } = makeFilesystem({})
  const root = fs.node(rootNode)
  if (root === undefined) throw new Error("no root")
  const file = fs.make(S_IFREG | 0o644, 0, 0, 0, epoch)
  file.nlink = 2
  for (const name of ["a", "b"]) fs.directory(root)?.add(name, file)
  return { fs, root, file, wrong: () => invariantsOf(fs, usage.total) }
}

describe("invariants of a POSIX filesystem", () => {
  it("hold of hard links", () => assert.deepStrictEqual(make().wrong(), []))

  it("tell link counts that are not those of the names", () => {
    const { file, root, wrong } = make()
    file.nlink = 1
    root.nlink = 3
    assert.deepStrictEqual(wrong().length, 2)
    assert.match(wrong().join(), /nlink is 3, 2 links lead to it.*nlink is 1, 2 links lead to it/)
  })

  it("tell blocks that are charged and not held, and inodes that are not counted", () => {
    const { file, fs, wrong } = make()
    file.blocks = 8
    assert.match(wrong().join(), /charged for 8 blocks, holds 0/)
    assert.match(invariantsOf(fs, { blocks: 1, inodes: 1 }).join(), /2 inodes are reachable, 1 are counted/)
  })

  it("tell an entry whose inode is gone", () => {
    const { file, fs, wrong } = make()
    file.nlink = 0
    fs.forget(file.ino)
    assert.match(wrong().join(), /names inode \d+, which is not there/)
  })
})
