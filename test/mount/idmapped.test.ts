/** Idmapped mounts (mount_setattr(2)) of a mount: whose files are shown there, and whose are made through it. */
import { assert, describe, it } from "@effect/vitest"
import { memory, passthrough, sqlite } from "bickford"
import { type Backend, type BackendSource, Errno, observe } from "@bickford/session"
import * as Effect from "effect/Effect"
import * as Exit from "effect/Exit"
import { chmod } from "node:fs/promises"
import { join } from "node:path"
import { asUser, first, idmappedPlace, scratchFolder } from "./idmapped.ts"
import { serve } from "./inProcess.ts"
import { oneFile } from "./oneFile.ts"

const FUSE_INVALID_UIDGID = 0xffff_ffff

/** A mount of `source`, and an idmapped mount of it. */
const served = (source: BackendSource, options?: Parameters<typeof serve>[1]) =>
  Effect.gen(function* () {
    const both = yield* serve(source, options)
    return { ...both, ...(yield* idmappedPlace(both.mountpoint)) }
  })

const sources: ReadonlyArray<readonly [string, (directory: string) => BackendSource]> = [
  ["memory:", () => memory()],
  ["passthrough:", (directory) => passthrough(directory)],
  ["passthrough: without the kernel's", (directory) => passthrough(directory, { kernelPassthrough: false })],
  ["sqlite:", (directory) => sqlite(join(directory, "store"))]
]

describe("an idmapped mount", () => {
  for (const [name, make] of sources) {
    it.live(`of ${name} shows owners mapped, and maps those of what is made back`, () =>
      Effect.gen(function* () {
        const directory = yield* scratchFolder
        yield* Effect.promise(() => chmod(directory, 0o777))
        const { attempt, idmap, mapped, mountpoint, run } = yield* served(make(directory))
        const owner = (path: string) => run("stat", ["--format=%u:%g", path])
        yield* run("chmod", ["777", mountpoint])
        yield* run(...asUser(7, "sh", "-c", `echo hello > ${mountpoint}/before`))
        assert.deepInclude(yield* idmap, { status: 0, stderr: "" })
        assert.strictEqual(yield* owner(`${mapped}/before`), `${first + 7}:${first + 7}\n`)

        const made = `cd ${mapped} && echo new > file && mkdir dir && ln -s file link && mkfifo fifo && ln file second && mv second third`
        yield* run(...asUser(first + 5, "sh", "-c", made))
        for (const one of ["file", "dir", "link", "fifo", "third"]) {
          assert.strictEqual(yield* owner(`${mountpoint}/${one}`), "5:5\n", one)
          assert.strictEqual(yield* owner(`${mapped}/${one}`), `${first + 5}:${first + 5}\n`, one)
        }
        assert.strictEqual(
          yield* run(...asUser(first + 5, "sh", "-c", `echo more >> ${mapped}/file && cat ${mapped}/file`)),
          "new\nmore\n"
        )
        yield* run("chown", [`${first + 9}:${first + 8}`, `${mapped}/before`])
        assert.strictEqual(yield* owner(`${mountpoint}/before`), "9:8\n")

        const refused = yield* attempt("touch", [`${mapped}/by-root`])
        assert.include(refused.stderr, "Value too large", "root has no id there")
        yield* run("chmod", ["600", `${mountpoint}/file`])
        assert.include((yield* attempt(...asUser(first + 6, "cat", `${mapped}/file`))).stderr, "Permission denied")
        assert.strictEqual(yield* run(...asUser(first + 5, "cat", `${mapped}/file`)), "new\nmore\n")
      })
    )
  }

  it.live("cannot be made where the kernel does not check permissions", () =>
    Effect.gen(function* () {
      const { idmap, mounted } = yield* served(memory(), { defaultPermissions: false })
      assert.isFalse((yield* mounted.session.negotiated).allowIdmap)
      assert.include((yield* idmap).stderr, "mount_setattr: Invalid argument")
      const asked = yield* Effect.flip(serve(memory(), { defaultPermissions: false, session: { allowIdmap: true } }))
      assert.strictEqual(
        asked.message,
        "option allowIdmap needs defaultPermissions: the kernel checks permissions on idmapped mounts"
      )
    })
  )

  it.live("nor of a backend that does not declare it, or where the option is false", () =>
    Effect.gen(function* () {
      const { idmap } = yield* served(oneFile())
      assert.include((yield* idmap).stderr, "mount_setattr: Invalid argument")
      const { mounted } = yield* served(memory(), { session: { allowIdmap: false } })
      assert.isFalse((yield* mounted.session.negotiated).allowIdmap)
    })
  )
})

describe("a mount that may be idmapped", () => {
  it.live("tells of the calling process where the kernel does not", () =>
    Effect.gen(function* () {
      const seen: Array<readonly [string, number, number]> = []
      const headers: Array<readonly [string, number]> = []
      const backend: Backend = {
        ...oneFile(),
        capabilities: { allowIdmap: true },
        getxattr: (_request, context) => {
          seen.push(["getxattr", context.uid, context.gid])
          return Exit.succeed(Buffer.from("x"))
        },
        mkdir: (_request, context) => {
          seen.push(["mkdir", context.uid, context.gid])
          return Errno.EDQUOT
        }
      }
      const { attempt, mounted, mountpoint } = yield* serve(backend)
      assert.isTrue((yield* mounted.session.negotiated).allowIdmap)
      yield* observe(mounted.session.connection, {
        received: (_row, { op, uid }) => {
          if (op === "getxattr" || op === "mkdir") headers.push([op, uid])
        },
        replied: () => {}
      })
      const program = `import os; os.setgroups([]); os.setgid(1002); os.setuid(1001); os.chdir("${mountpoint}"); os.getxattr("file", "user.x"); os.mkdir("dir")`
      const outcome = yield* attempt("python3", ["-c", program])
      assert.include(outcome.stderr, "Disk quota exceeded")
      assert.deepStrictEqual(headers, [
        ["getxattr", FUSE_INVALID_UIDGID],
        ["mkdir", 1001]
      ])
      assert.deepStrictEqual(seen, [
        ["getxattr", 1001, 1002],
        ["mkdir", 1001, 1002]
      ])
    })
  )
})
