/** Flags of INIT that a backend asks for by its capabilities, and what a program then sees of the kernel. */
import { assert, describe, it } from "@effect/vitest"
import { type BackendCapabilities, openReplyFlags, type Request } from "@bickford/protocol"
import type { Backend } from "@bickford/session"
import * as Effect from "effect/Effect"
import * as Exit from "effect/Exit"
import { serve } from "../inProcess.ts"
import { everyOperation, node } from "./backend.ts"
import { client } from "./rows.ts"

const FATTR_MODE = 1
const S_ISUID = 0o4000
const size = 8192

type Operations = ReturnType<typeof everyOperation>

/** Runs one program inside a mount of `backend` with `capabilities`: what it prints. */
const printed = (
  backend: Backend,
  capabilities: BackendCapabilities,
  program: string,
  served?: (mounted: Mounted) => void
) =>
  Effect.gen(function* () {
    const { mounted, mountpoint, run } = yield* serve({
      ...backend,
      capabilities: { ...backend.capabilities, ...capabilities }
    })
    served?.(mounted)
    const output = yield* run("python3", ["-c", client, mountpoint, JSON.stringify([["ran", program]])])
    return output.trimEnd().replace(/^ran: ?/, "")
  })

type Mounted = Effect.Success<ReturnType<typeof serve>>["mounted"]

const setattrs = (asked: Operations["asked"]): ReadonlyArray<Extract<Request, { readonly op: "setattr" }>> =>
  asked.filter((request) => request.op === "setattr")

/** As `everyOperation`, but the file is set-user-ID, and its data may be cached. */
const setUserId = (): Operations => {
  const { asked, backend } = everyOperation({ open: 0 })
  const { getattr, lookup } = backend
  const mode = 0o100777 | S_ISUID
  return {
    asked,
    backend: {
      ...backend,
      lookup: (request, context) =>
        Effect.map(lookup?.(request, context) ?? Effect.die("no lookup"), (entry) =>
          request.name === "file" ? { ...entry, attr: { ...entry.attr, mode } } : entry
        ),
      getattr: (request, context) =>
        Effect.map(getattr?.(request, context) ?? Effect.die("no getattr"), (reply) =>
          request.nodeid === node.file ? { ...reply, attr: { ...reply.attr, mode } } : reply
        )
    }
  }
}

/** A file of one letter, which statfs(2) makes newer and fsync(2) makes newer and longer. */
const changing = () => {
  const { backend } = everyOperation({ open: openReplyFlags.FOPEN_KEEP_CACHE })
  let letter = "a"
  let length = size
  const { getattr, lookup, statfs } = backend
  const current = <A extends { readonly attr: Parameters<typeof Object.assign>[0] }>(reply: A) => ({
    ...reply,
    attr: { ...reply.attr, size: length, mtime: { sec: letter.charCodeAt(0), nsec: 0 } }
  })
  const next = (): void => {
    letter = String.fromCharCode(letter.charCodeAt(0) + 1)
  }
  const changingBackend: Backend = {
    ...backend,
    lookup: (request, context) =>
      Effect.map(lookup?.(request, context) ?? Effect.die("no lookup"), (entry) =>
        request.name === "file" ? current(entry) : entry
      ),
    getattr: (request, context) =>
      Effect.map(getattr?.(request, context) ?? Effect.die("no getattr"), (reply) =>
        request.nodeid === node.file ? current(reply) : reply
      ),
    read: (request) =>
      Exit.succeed(Buffer.alloc(Math.max(0, Math.min(request.size, length - Number(request.offset))), letter)),
    statfs: (request, context) => {
      next()
      return statfs?.(request, context) ?? Effect.die("no statfs")
    },
    fsync: () => {
      next()
      length += size
      return Exit.void
    }
  }
  return changingBackend
}

describe("flags of INIT that a backend asks for", () => {
  const mapping = `
import mmap
file = opened()
def mapped():
    with mmap.mmap(file, 20, mmap.MAP_SHARED) as memory:
        print(memory[:6].decode())
        memory[:6] = b"TWENTY"
print(failing(mapped))
`

  it.live("without directIoAllowMmap a file opened with FOPEN_DIRECT_IO cannot be mapped shared", () =>
    Effect.gen(function* () {
      assert.strictEqual(yield* printed(everyOperation().backend, {}, mapping), "ENODEV")
    })
  )

  it.live("with directIoAllowMmap it can, and what is written to the mapping arrives", () =>
    Effect.gen(function* () {
      const { asked, backend } = everyOperation()
      const written: Array<string> = []
      const { write } = backend
      const noting: Backend = {
        ...backend,
        write: (request, context) => {
          written.push(Buffer.from(request.data).toString("latin1", 0, 9))
          return write?.(request, context) ?? Effect.die("no write")
        }
      }
      assert.strictEqual(yield* printed(noting, { directIoAllowMmap: true }, mapping), "twenty\nno error")
      assert.deepStrictEqual(written, ["TWENTY by"])
      assert.isTrue(asked.some(({ op }) => op === "read"))
    })
  )

  const losing = `
os.chown("file", 5, -1)
file = opened()
os.setuid(1234)
print(os.write(file, b"hello"))
`

  it.live("without handleKillpriv the kernel clears set-user-ID, by the mode of a SETATTR", () =>
    Effect.gen(function* () {
      const { asked, backend } = setUserId()
      assert.strictEqual(yield* printed(backend, {}, losing), "5")
      const modes = setattrs(asked).map(({ mode, valid }) => ((valid & FATTR_MODE) === 0 ? "kept" : mode & S_ISUID))
      assert.deepStrictEqual(modes, [0, 0], "of the chown(2), and before the write(2)")
    })
  )

  it.live("with handleKillpriv it leaves that to the backend", () =>
    Effect.gen(function* () {
      const { asked, backend } = setUserId()
      assert.strictEqual(yield* printed(backend, { handleKillpriv: true }, losing), "5")
      const modes = setattrs(asked).map(({ valid }) => valid & FATTR_MODE)
      assert.deepStrictEqual(
        modes,
        [0, 0],
        "no mode with the chown(2), nor with the SETATTR of nothing before the write(2)"
      )
    })
  )

  const reading = `
file = opened()
def first(): return os.pread(file, 1, 0).decode()
seen = [first()]
os.statvfs("."); os.stat("file"); seen.append(first())
os.fsync(file); os.stat("file"); seen.append(first())
os.getxattr("file", "user.colour")
while first() == "a": pass
seen.append(first())
print(*seen)
`
  /**
   * The file's first letter at the beginning, after a change of its time, of its size, and after an invalidation, which
   * an operation sends and does not wait for.
   */
  const lettersRead = (capabilities: BackendCapabilities) => {
    const backend = changing()
    const { getxattr } = backend
    let mount: Mounted | undefined
    const dropping: Backend = {
      ...backend,
      getxattr: (request, context) =>
        Effect.andThen(
          request.name === "user.colour" && mount !== undefined
            ? Effect.orDie(mount.session.notify.invalInode(node.file))
            : Effect.void,
          getxattr?.(request, context) ?? Effect.die("no getxattr")
        )
    }
    return printed(dropping, capabilities, reading, (mounted) => (mount = mounted))
  }

  it.live("the kernel drops pages when a file's time or size has changed", () =>
    Effect.gen(function* () {
      assert.strictEqual(yield* lettersRead({ autoInvalData: true }), "a b c c")
    })
  )

  it.live("without autoInvalData it drops them when the size has changed", () =>
    Effect.gen(function* () {
      assert.strictEqual(yield* lettersRead({ autoInvalData: false }), "a a c c")
    })
  )

  it.live("with explicitInvalData it keeps them until they are invalidated", () =>
    Effect.gen(function* () {
      assert.strictEqual(yield* lettersRead({ explicitInvalData: true }), "a a a c")
    })
  )

  it.live("without exportSupport there are no handles that outlive the kernel's memory of a node", () =>
    Effect.gen(function* () {
      const byHandle = `
handle = struct.pack("Ii", 128, 0) + bytes(128)
buffer, mount = ctypes.create_string_buffer(handle), ctypes.c_int()
result = libc.name_to_handle_at(-100, b"file", buffer, ctypes.byref(mount), 0)
print(result, errno.errorcode.get(ctypes.get_errno()))
`
      assert.strictEqual(yield* printed(everyOperation().backend, {}, byHandle), "-1 ENOTSUP")
      assert.match(yield* printed(everyOperation().backend, { exportSupport: true }, byHandle), /^0 /)
    })
  )
})
