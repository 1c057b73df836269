/** The groups of a caller, as a real kernel and /proc tell of them. */
import { assert, describe, it } from "@effect/vitest"
import { type Backend, Errno } from "@bickford/session"
import * as Effect from "effect/Effect"
import * as Exit from "effect/Exit"
import { join } from "node:path"
import { oneFile } from "./oneFile.ts"
import { serve } from "./inProcess.ts"

const epoch = { sec: 0, nsec: 0 }
const directoryGroup = 4242
const root = {
  ino: 1,
  mode: 0o40777,
  size: 0,
  blocks: 0,
  nlink: 2,
  uid: 0,
  gid: directoryGroup,
  rdev: 0,
  blksize: 4096,
  flags: 0,
  atime: epoch,
  mtime: epoch,
  ctime: epoch
}

/** Every mkdir is refused; `seen` has the groups of its caller. */
const watched = (seen: Array<ReadonlyArray<number>>, more: Partial<Backend> = {}): Backend => ({
  ...oneFile(),
  getattr: () => Exit.succeed({ attrValid: epoch, attr: root }),
  mkdir: (_request, context) => {
    seen.push(context.groups())
    return Errno.EDQUOT
  },
  ...more
})

const makeDirectory = (mountpoint: string, ...ids: ReadonlyArray<string>): readonly [string, ReadonlyArray<string>] => [
  "setpriv",
  [...ids, "mkdir", join(mountpoint, "d")]
]

describe("the groups of a caller", () => {
  it.live("none is none: a caller without supplementary groups is in no group by its process id", () =>
    Effect.gen(function* () {
      const seen: Array<ReadonlyArray<number>> = []
      const { attempt, mountpoint } = yield* serve(watched(seen))
      yield* attempt(...makeDirectory(mountpoint, "--reuid=1000", "--regid=1000", "--clear-groups"))
      yield* attempt(...makeDirectory(mountpoint, "--reuid=1000", "--regid=1000", "--groups=7,4243"))
      assert.deepStrictEqual(seen, [[], [7, 4243]])
    })
  )

  it.live("the kernel sends the directory's group with a creation, where that was agreed on", () =>
    Effect.gen(function* () {
      const seen: Array<ReadonlyArray<number>> = []
      const { attempt, mountpoint } = yield* serve(watched(seen, { capabilities: { createSuppGroup: true } }))
      yield* attempt(...makeDirectory(mountpoint, "--reuid=1000", "--regid=1000", `--groups=7,${directoryGroup}`))
      yield* attempt(...makeDirectory(mountpoint, "--reuid=1000", "--regid=1000", "--clear-groups"))
      assert.deepStrictEqual(seen, [[directoryGroup, 7], []])
    })
  )
})
