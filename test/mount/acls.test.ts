/** POSIX ACLs of a served directory, on the real kernel: enforced where they are shown, else refused. */
import { assert, describe, it } from "@effect/vitest"
import { passthrough, type PassthroughOptions, withOwner } from "@bickford/backends"
import type { MountOptions } from "@bickford/session"
import * as Effect from "effect/Effect"
import * as fs from "node:fs"
import { tmpdir } from "node:os"
import { join } from "node:path"
import { serve } from "./inProcess.ts"

const program = join(import.meta.dirname, "acls.py")

const directory = Effect.acquireRelease(
  Effect.sync(() => {
    const path = fs.mkdtempSync(join(tmpdir(), "bickford-acls-"))
    fs.chmodSync(path, 0o755)
    return path
  }),
  (path) => Effect.sync(() => fs.rmSync(path, { recursive: true, force: true }))
)

/** A directory, served; other users reach the mountpoint. */
const start = (
  options: PassthroughOptions = {},
  mount: Omit<MountOptions, "mountpoint" | "backend"> = {},
  owner?: Parameters<typeof withOwner>[1]
) =>
  Effect.gen(function* () {
    const folder = yield* directory
    const backend = passthrough(folder, options)
    const served = yield* serve(
      owner === undefined ? backend : Effect.map(backend, (made) => withOwner(made, owner)),
      mount
    )
    return { ...served, folder }
  })

describe("POSIX ACLs of a served directory", () => {
  for (const kernelPassthrough of [true, false]) {
    it.live(
      `decide who gets in, and take the umask's place${kernelPassthrough ? "" : ", without the kernel's passthrough"}`,
      () =>
        Effect.gen(function* () {
          const { attempt, folder, mountpoint } = yield* start({ kernelPassthrough })
          const { stderr, stdout } = yield* attempt("python3", [program, mountpoint, folder])
          assert.deepStrictEqual([stdout.trim(), stderr], ["", ""])
        })
    )
  }

  it.live("have the mount's ids, where those are others than the directory's", () =>
    Effect.gen(function* () {
      const ranges = [
        { inside: 0, outside: 0, count: 1 },
        { inside: 4000, outside: 9000, count: 100 }
      ]
      const { folder, mountpoint, run } = yield* start({ uids: ranges, gids: ranges })
      yield* run("python3", [
        "-c",
        `
import os, struct, sys
at, folder = sys.argv[1:]
name = "system.posix_acl_access"
def acl(user, group):
    return struct.pack("<I" + "HHI" * 6, 2, 1, 6, 0xffffffff, 2, 4, user, 4, 0, 0xffffffff, 8, 4, group, 16, 4, 0xffffffff, 32, 0, 0xffffffff)
open(folder + "/file", "w").close()
os.setxattr(at + "/file", name, acl(4001, 4002))
assert os.getxattr(folder + "/file", name) == acl(9001, 9002)
assert os.getxattr(at + "/file", name) == acl(4001, 4002)
if os.fork() == 0:
    os.setgroups([])
    os.setgid(4005)
    os.setuid(4001)
    os.close(os.open(at + "/file", os.O_RDONLY))
    os._exit(0)
assert os.wait()[1] == 0, "the user who is named"
try:
    os.setxattr(at + "/file", name, acl(5000, 4002))
    raise AssertionError("a user who is in no range")
except OSError as error: assert error.errno == 75, error
os.setxattr(folder + "/file", name, acl(7, 9002))
assert os.getxattr(at + "/file", name) == acl(65534, 4002)
`,
        mountpoint,
        folder
      ])
    })
  )

  const refused: ReadonlyArray<readonly [how: string, started: ReturnType<typeof start>]> = [
    ["no_default_permissions, which leaves the kernel nothing to check", start({}, { defaultPermissions: false })],
    ["owners that are not the directory's", start({}, {}, { uid: 0 })],
    ["no extended attributes", start({ xattrs: false })]
  ]
  for (const [how, started] of refused) {
    it.live(`are refused with ${how}`, () =>
      Effect.gen(function* () {
        const { folder, mountpoint, run } = yield* started
        yield* run("python3", [
          "-c",
          `
import errno, os, struct, sys
at, folder = sys.argv[1:]
value = struct.pack("<I" + "HHI" * 5, 2, 1, 6, 0xffffffff, 2, 6, 4001, 4, 0, 0xffffffff, 16, 6, 0xffffffff, 32, 0, 0xffffffff)
os.mkdir(folder + "/dir")
for name in ("system.posix_acl_access", "system.posix_acl_default"):
    os.setxattr(folder + "/dir", name, value)
    for call in (lambda: os.setxattr(at + "/dir", name, value), lambda: os.removexattr(at + "/dir", name), lambda: os.getxattr(at + "/dir", name)):
        try:
            call()
            raise AssertionError(name)
        except OSError as error: assert error.errno in (errno.EOPNOTSUPP, errno.ENODATA), error
    assert os.getxattr(folder + "/dir", name) == value
try: assert os.listxattr(at + "/dir") == []
except OSError as error: assert error.errno == errno.EOPNOTSUPP, error
`,
          mountpoint,
          folder
        ])
      })
    )
  }
})
