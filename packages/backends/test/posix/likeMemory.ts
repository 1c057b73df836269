/** Random calls on a store and in memory: what is answered is the same, and so is all that is there, however often the store is opened anew. */
import { assert } from "@effect/vitest"
import type { Timespec, U64 } from "@bickford/protocol"
import type { Backend, ErrnoError } from "@bickford/session"
import * as Effect from "effect/Effect"
import * as fc from "fast-check"
import type * as Scope from "effect/Scope"
import { memory } from "../../src/index.ts"
import { S_IFDIR, S_IFLNK, S_IFMT, S_IFREG } from "../../src/posix/linux.ts"
import type { Server } from "../sqlite/server.ts"
import { makeKernel, rootNode } from "./kernel.ts"

const names = ["a", "b", "c", "d"]
const anyName = fc.constantFrom(...names)
/** Which of the directories, or of the nodes, that were made. */
const pick = fc.nat(7)
const offset = fc.oneof(fc.nat(300_000), fc.constantFrom(0, 65_535, 65_536, 131_072, 4096))
const length = fc.oneof(fc.integer({ min: 1, max: 150_000 }), fc.constantFrom(4096, 65_536, 131_072))

const step = fc.oneof(
  {
    weight: 4,
    arbitrary: fc.record({ do: fc.constantFrom("create", "mkdir", "symlink", "tmpfile"), at: pick, name: anyName })
  },
  {
    weight: 3,
    arbitrary: fc.record({ do: fc.constantFrom("unlink", "rmdir", "lookup", "list"), at: pick, name: anyName })
  },
  {
    weight: 3,
    arbitrary: fc.record({
      do: fc.constant("rename"),
      at: pick,
      name: anyName,
      to: pick,
      newname: anyName,
      flags: fc.constantFrom(0, 0, 1, 2, 4)
    })
  },
  { weight: 1, arbitrary: fc.record({ do: fc.constant("link"), node: pick, at: pick, name: anyName }) },
  { weight: 4, arbitrary: fc.record({ do: fc.constantFrom("write", "read", "truncate"), node: pick, offset, length }) },
  {
    weight: 2,
    arbitrary: fc.record({
      do: fc.constant("fallocate"),
      node: pick,
      offset,
      length,
      mode: fc.constantFrom(0, 1, 3, 16)
    })
  },
  { weight: 1, arbitrary: fc.record({ do: fc.constant("copy"), node: pick, to: pick, offset, length }) },
  {
    weight: 2,
    arbitrary: fc.record({
      do: fc.constantFrom("chmod", "setxattr", "removexattr", "forget"),
      node: pick,
      bits: fc.nat(0o7777)
    })
  },
  { weight: 2, arbitrary: fc.record({ do: fc.constant("reopen") }) }
)
type Step = typeof step extends fc.Arbitrary<infer A> ? A : never

const makeClock = (): (() => Timespec) => {
  let sec = 1000
  return () => ({ sec: ++sec, nsec: sec % 7 })
}

/** A filesystem, and what was made in it, in order: the same numbers mean the same nodes. */
const subject = (backend: Backend) => {
  const kernel = makeKernel(backend)
  const nodes: Array<U64> = [rootNode]
  const directories: Array<U64> = [rootNode]
  const node = (n: number): U64 => nodes[n % nodes.length] ?? rootNode
  const directory = (n: number): U64 => directories[n % directories.length] ?? rootNode
  const note = ({ nodeid }: { readonly nodeid: U64 }): string => {
    if (!nodes.includes(nodeid)) nodes.push(nodeid)
    return `node ${nodes.indexOf(nodeid)}`
  }
  /** As the kernel does before it changes a name. */
  const look = (parent: U64, name: string) => Effect.ignore(Effect.map(kernel.lookup(parent, name), note))
  const act = (given: Step): Effect.Effect<unknown, ErrnoError> => {
    switch (given.do) {
      case "create":
        return Effect.map(kernel.create({ nodeid: directory(given.at), name: given.name }), note)
      case "mkdir":
        return Effect.map(kernel.mkdir({ nodeid: directory(given.at), name: given.name }), (entry) => {
          directories.push(entry.nodeid)
          return note(entry)
        })
      case "symlink":
        return Effect.map(kernel.symlink({ nodeid: directory(given.at), name: given.name, target: "somewhere" }), note)
      case "tmpfile":
        return Effect.map(kernel.tmpfile({ nodeid: directory(given.at) }), note)
      case "unlink":
        return Effect.andThen(look(directory(given.at), given.name), kernel.unlink(directory(given.at), given.name))
      case "rmdir":
        return Effect.andThen(look(directory(given.at), given.name), kernel.rmdir(directory(given.at), given.name))
      case "lookup":
        return Effect.map(kernel.lookup(directory(given.at), given.name), note)
      case "list":
        return Effect.map(kernel.readdir(directory(given.at)), (entries) =>
          entries.map(({ name, type }) => `${String(name)} ${type}`).sort()
        )
      case "rename":
        return look(directory(given.at), given.name).pipe(
          Effect.andThen(look(directory(given.to), given.newname)),
          Effect.andThen(
            kernel.rename(directory(given.at), given.name, directory(given.to), given.newname, given.flags)
          )
        )
      case "link":
        return Effect.map(kernel.link(node(given.node), directory(given.at), given.name), note)
      case "write":
        return kernel.write(node(given.node), given.offset, new Uint8Array(given.length).fill((given.length % 255) + 1))
      case "read":
        return kernel.read(node(given.node), given.offset, given.length)
      case "truncate":
        return Effect.asVoid(kernel.setattr({ nodeid: node(given.node), valid: 8, size: given.offset }))
      case "fallocate":
        return kernel.fallocate(node(given.node), given.mode, given.offset, given.length)
      case "copy":
        return kernel.copyFileRange(node(given.node), 0, node(given.to), given.offset, given.length)
      case "chmod":
        return Effect.asVoid(kernel.setattr({ nodeid: node(given.node), valid: 1, mode: given.bits }))
      case "setxattr":
        return kernel.setxattr(
          node(given.node),
          given.bits % 2 === 0 ? "user.a" : "security.capability",
          new Uint8Array(given.bits)
        )
      case "removexattr":
        return kernel.removexattr(node(given.node), "user.a")
      default:
        return Effect.void
    }
  }
  /** The kernel lets go of a node, unless it is a directory, which it may need for what is in it. */
  const forget = (n: number): void => {
    const nodeid = node(n)
    if (directories.includes(nodeid)) return
    kernel.forget(nodeid)
    nodes.splice(nodes.indexOf(nodeid), 1)
  }
  /** Everything that can be reached, without the numbers. */
  const walk = (nodeid: U64): Effect.Effect<unknown, ErrnoError> =>
    Effect.gen(function* () {
      const { ino: _, ...attr } = yield* kernel.getattr(nodeid)
      const attributes = String(yield* kernel.listxattr(nodeid))
        .split("\0")
        .sort()
      const type = attr.mode & S_IFMT
      if (type === S_IFLNK) return { ...attr, attributes, target: yield* kernel.readlink(nodeid) }
      if (type === S_IFREG)
        return { ...attr, attributes, bytes: Buffer.from(yield* kernel.read(nodeid, 0, 600_000)).toString("base64") }
      if (type !== S_IFDIR) return { ...attr, attributes }
      const entries: Array<unknown> = []
      for (const name of names) {
        const found = yield* Effect.exit(kernel.lookup(nodeid, name))
        entries.push(found._tag === "Success" ? [name, yield* walk(found.value.nodeid)] : [])
      }
      return { ...attr, attributes, entries }
    })
  return { act, forget, walk, nodes }
}

const answer = (effect: Effect.Effect<unknown, ErrnoError>): Effect.Effect<unknown> =>
  Effect.match(effect, {
    onFailure: (error) => error._tag,
    onSuccess: (value) => (value instanceof Uint8Array ? Buffer.from(value).toString("base64") : value)
  })

/** A store that is made for one sequence of calls. */
export interface ComparedStore {
  /** Serves it, with a kernel that holds these nodes. */
  readonly serve: (held: Iterable<U64>) => Effect.Effect<Server, unknown, Scope.Scope>
  /** What is wrong with it while nobody serves it; nothing, one hopes. */
  readonly problems: Effect.Effect<ReadonlyArray<unknown>, unknown>
}

/** Makes random calls on stores and in memory, in so many sequences. */
export const compareWithMemory = (
  newStore: (clock: () => Timespec) => Effect.Effect<ComparedStore, unknown, Scope.Scope>,
  runs: number
): Effect.Effect<void> => {
  const check = (steps: ReadonlyArray<Step>): Effect.Effect<void, unknown> =>
    Effect.scoped(
      Effect.gen(function* () {
        const clock = makeClock()
        const store = yield* newStore(clock)
        let server = yield* store.serve([])
        const stored = subject(new Proxy<Backend>({}, { get: (_, name) => Reflect.get(server.backend, name) }))
        const remembered = memory({ clock: makeClock() })
        const model = subject(remembered)
        for (const [n, given] of steps.entries()) {
          if (given.do === "reopen") {
            yield* server.kill
            server = yield* store.serve(stored.nodes)
          } else if (given.do === "forget") {
            model.forget(given.node)
            stored.forget(given.node)
          } else
            assert.deepStrictEqual(
              yield* answer(stored.act(given)),
              yield* answer(model.act(given)),
              `step ${n}: ${JSON.stringify(given)}`
            )
        }
        yield* server.commit
        assert.deepStrictEqual(server.backend.stats().bytes, remembered.stats().bytes)
        assert.deepStrictEqual(server.backend.stats().inodes, remembered.stats().inodes)
        const before = yield* stored.walk(rootNode)
        assert.deepStrictEqual(before, yield* model.walk(rootNode))
        yield* server.kill
        assert.deepStrictEqual(yield* store.problems, [])
        server = yield* store.serve(stored.nodes)
        assert.deepStrictEqual(yield* stored.walk(rootNode), yield* model.walk(rootNode))
      })
    )
  return Effect.promise(() =>
    fc.assert(
      fc.asyncProperty(fc.array(step, { minLength: 10, maxLength: 60 }), (steps) => Effect.runPromise(check(steps))),
      { numRuns: runs }
    )
  )
}
