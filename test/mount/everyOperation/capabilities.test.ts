/** Capabilities that a backend declares, and what the kernel then does for a program. */
import { assert, describe, it } from "@effect/vitest"
import { Errno } from "@bickford/session"
import type { SecurityContext } from "@bickford/protocol"
import * as Effect from "effect/Effect"
import * as Exit from "effect/Exit"
import { serve } from "../inProcess.ts"
import { everyOperation } from "./backend.ts"

/** Version 2 of the xattr format of acl(5): tag, permissions and id of each entry. */
const acl = (...entries: ReadonlyArray<readonly [tag: number, permissions: number, id: number]>): Buffer => {
  const bytes = Buffer.alloc(4 + 8 * entries.length)
  bytes.writeUInt32LE(2, 0)
  entries.forEach(([tag, permissions, id], i) => {
    bytes.writeUInt16LE(tag, 4 + 8 * i)
    bytes.writeUInt16LE(permissions, 6 + 8 * i)
    bytes.writeUInt32LE(id, 8 + 8 * i)
  })
  return bytes
}
const nobody = 0xffff_ffff
/** u::rw-, u:1234:r--, g::---, m::rw-, o::--- */
const onlyUser1234 = acl([0x01, 6, nobody], [0x02, 4, 1234], [0x04, 0, nobody], [0x10, 6, nobody], [0x20, 0, nobody])

describe("capabilities that a backend declares", () => {
  it.live("posixAcl: the kernel fetches the ACL and grants by it what the mode refuses", () =>
    Effect.gen(function* () {
      const { backend } = everyOperation()
      const { getxattr, lookup } = backend
      const { attempt, mountpoint } = yield* serve({
        ...backend,
        capabilities: { ...backend.capabilities, posixAcl: true },
        lookup: (request, context) =>
          Effect.map(lookup?.(request, context) ?? Effect.die("no lookup"), (found) => ({
            ...found,
            attr: { ...found.attr, mode: 0o100660 }
          })),
        getxattr: (request, context) => {
          if (request.name !== "system.posix_acl_access") return getxattr?.(request, context) ?? Errno.ENODATA
          if (request.nodeid === 1) return Errno.ENODATA
          return Exit.succeed(request.size === 0 ? { size: onlyUser1234.length } : onlyUser1234)
        }
      })
      const readAs = (uid: number) =>
        attempt("setpriv", [
          `--reuid=${uid}`,
          `--regid=${uid}`,
          "--clear-groups",
          "head",
          "-c",
          "6",
          `${mountpoint}/file`
        ])
      assert.strictEqual((yield* readAs(1234)).stdout, "twenty")
      assert.include((yield* readAs(4321)).stderr, "Permission denied")
    })
  )

  it.live(
    "securityCtx: what is created comes with its security contexts, of which there are none without a security module",
    () =>
      Effect.gen(function* () {
        const { backend } = everyOperation()
        const contexts: Array<ReadonlyArray<SecurityContext>> = []
        const { mkdir } = backend
        const { mounted, mountpoint, run } = yield* serve(
          {
            ...backend,
            mkdir: (request, context) => {
              contexts.push(context.securityContexts)
              return mkdir?.(request, context) ?? Errno.ENOSYS
            }
          },
          { session: { securityCtx: true } }
        )
        assert.isTrue((yield* mounted.session.negotiated).securityCtx)
        yield* run("mkdir", [`${mountpoint}/dir`])
        assert.strictEqual(contexts.length, 1)
        for (const { name, value } of contexts[0] ?? [])
          assert.deepStrictEqual([typeof name, value instanceof Uint8Array], ["string", true])
      })
  )
})
