/** Random calls by path, and a base for them that is full: directories, links, a file of several chunks. */
import type { Timespec, U64 } from "@bickford/protocol"
import type { Backend, ErrnoError } from "@bickford/session"
import * as Effect from "effect/Effect"
import * as fc from "fast-check"
import { createHash } from "node:crypto"
import { linkSync, lstatSync, mkdirSync, readdirSync, readFileSync, symlinkSync, writeFileSync } from "node:fs"
import { join } from "node:path"
import { S_IFDIR, S_IFLNK, S_IFMT, S_IFREG } from "../../src/posix/linux.ts"
import { makeKernel, rootNode } from "../posix/kernel.ts"

const names = ["a", "b", "c", "d"]
const anyName = fc.constantFrom(...names)
const depth = 3
/** A path of up to three names. */
const path = fc.array(anyName, { minLength: 1, maxLength: depth })
const offset = fc.oneof(fc.nat(300_000), fc.constantFrom(0, 65_535, 65_536, 131_072, 4096))
const length = fc.oneof(fc.integer({ min: 1, max: 150_000 }), fc.constantFrom(4096, 65_536, 131_072))

export const step = fc.oneof(
  { weight: 4, arbitrary: fc.record({ do: fc.constantFrom("create", "mkdir", "symlink"), path }) },
  { weight: 5, arbitrary: fc.record({ do: fc.constantFrom("unlink", "rmdir", "lookup", "list"), path }) },
  {
    weight: 5,
    arbitrary: fc.record({ do: fc.constant("rename"), path, to: path, flags: fc.constantFrom(0, 0, 1, 2, 4) })
  },
  { weight: 2, arbitrary: fc.record({ do: fc.constant("link"), path, to: path }) },
  { weight: 5, arbitrary: fc.record({ do: fc.constantFrom("write", "read", "truncate"), path, offset, length }) },
  {
    weight: 2,
    arbitrary: fc.record({ do: fc.constant("fallocate"), path, offset, length, mode: fc.constantFrom(0, 1, 3, 16) })
  },
  { weight: 2, arbitrary: fc.record({ do: fc.constant("copy"), path, to: path, offset, length }) },
  {
    weight: 2,
    arbitrary: fc.record({ do: fc.constantFrom("chmod", "setxattr", "removexattr"), path, bits: fc.nat(0o7777) })
  },
  { weight: 1, arbitrary: fc.record({ do: fc.constant("reopen") }) }
)
export type Step = typeof step extends fc.Arbitrary<infer A> ? A : never

/** What the base holds: a path, and what is there. */
type Made = readonly [path: string, what: "directory" | "file" | "link" | "symlink", detail: string]
const tree: ReadonlyArray<Made> = [
  ["a", "directory", ""],
  ["a/a", "file", "200000"],
  ["a/b", "file", "10"],
  ["a/c", "directory", ""],
  ["a/c/d", "file", "65536"],
  ["a/c/a", "link", "a/a"],
  ["b", "file", "70000"],
  ["c", "symlink", "a/b"],
  ["d", "directory", ""],
  ["d/b", "link", "b"],
  ["d/d", "directory", ""]
]
const contentOf = (size: string): Uint8Array =>
  new Uint8Array(Number(size)).map((_, at) => (at * 7 + Number(size)) % 251)

export const fillBase = (base: string): void => {
  for (const [at, what, detail] of tree) {
    if (what === "directory") mkdirSync(join(base, at))
    else if (what === "file") writeFileSync(join(base, at), contentOf(detail))
    else if (what === "link") linkSync(join(base, detail), join(base, at))
    else symlinkSync(detail, join(base, at))
  }
}

/** Everything below a directory of the machine's own. */
export const snapshot = (directory: string): ReadonlyArray<unknown> =>
  readdirSync(directory, { recursive: true, encoding: "utf8" })
    .sort()
    .map((name) => {
      const { ctimeMs, ino, mode, mtimeMs, nlink, size } = lstatSync(join(directory, name))
      const content = (mode & S_IFMT) === S_IFREG ? readFileSync(join(directory, name)).toString("base64") : ""
      return [name, ctimeMs, ino, mode, mtimeMs, nlink, size, content]
    })

/** A filesystem, by path. */
export const subject = (backend: Backend) => {
  const kernel = makeKernel(backend)
  const find = (given: ReadonlyArray<string>): Effect.Effect<U64, ErrnoError> =>
    Effect.gen(function* () {
      let node: U64 = rootNode
      for (const name of given) node = (yield* kernel.lookup(node, name)).nodeid
      return node
    })
  const parentOf = (given: ReadonlyArray<string>) => find(given.slice(0, -1))
  const nameOf = (given: ReadonlyArray<string>): string => given.at(-1) ?? ""
  const fill = Effect.forEach(tree, ([at, what, detail]) =>
    Effect.gen(function* () {
      const given = at.split("/")
      const nodeid = yield* parentOf(given)
      const name = nameOf(given)
      if (what === "directory") yield* kernel.mkdir({ nodeid, name })
      else if (what === "symlink") yield* kernel.symlink({ nodeid, name, target: detail })
      else if (what === "link") yield* kernel.link(yield* find(detail.split("/")), nodeid, name)
      else yield* kernel.write((yield* kernel.create({ nodeid, name })).nodeid, 0, contentOf(detail))
    })
  )
  const act = (given: Step): Effect.Effect<unknown, ErrnoError> =>
    Effect.gen(function* () {
      if (given.do === "reopen") return undefined
      const nodeid = yield* parentOf(given.path)
      const name = nameOf(given.path)
      // As the kernel does before it changes a name.
      const found = yield* Effect.option(kernel.lookup(nodeid, name))
      switch (given.do) {
        case "create":
          return void (yield* kernel.create({ nodeid, name }))
        case "mkdir":
          return void (yield* kernel.mkdir({ nodeid, name }))
        case "symlink":
          return void (yield* kernel.symlink({ nodeid, name, target: "somewhere" }))
        case "unlink":
          return yield* kernel.unlink(nodeid, name)
        case "rmdir":
          return yield* kernel.rmdir(nodeid, name)
        case "rename": {
          const newdir = yield* parentOf(given.to)
          yield* Effect.ignore(kernel.lookup(newdir, nameOf(given.to)))
          return yield* kernel.rename(nodeid, name, newdir, nameOf(given.to), given.flags)
        }
        default:
      }
      if (found._tag === "None") return "none"
      const node = found.value.nodeid
      switch (given.do) {
        case "list":
          return (yield* kernel.readdir(node)).map((entry) => `${String(entry.name)} ${entry.type}`).sort()
        case "link":
          return void (yield* kernel.link(node, yield* parentOf(given.to), nameOf(given.to)))
        case "write":
          return yield* kernel.write(node, given.offset, new Uint8Array(given.length).fill((given.length % 255) + 1))
        case "read":
          return yield* kernel.read(node, given.offset, given.length)
        case "truncate":
          return void (yield* kernel.setattr({ nodeid: node, valid: 8, size: given.offset }))
        case "fallocate":
          return yield* kernel.fallocate(node, given.mode, given.offset, given.length)
        case "copy":
          return yield* kernel.copyFileRange(node, 0, yield* find(given.to), given.offset, given.length)
        case "chmod":
          return void (yield* kernel.setattr({ nodeid: node, valid: 1, mode: given.bits }))
        case "setxattr":
          // The kernel lets nobody give one to others.
          if (![S_IFREG, S_IFDIR].some((type) => type === (found.value.attr.mode & S_IFMT))) return "none"
          return yield* kernel.setxattr(node, "user.a", new Uint8Array(given.bits % 1000))
        case "removexattr":
          return yield* kernel.removexattr(node, "user.a")
        default:
          return undefined
      }
    })
  /** Everything that can be reached, without times, and each inode by the path that it is met at first. */
  const walk = Effect.suspend(() => {
    const met = new Map<U64, string>()
    const visit = (nodeid: U64, at: string): Effect.Effect<unknown, ErrnoError> =>
      Effect.gen(function* () {
        const { gid, mode, nlink, size, uid } = yield* kernel.getattr(nodeid)
        const first = met.get(nodeid)
        met.set(nodeid, first ?? at)
        if (first !== undefined) return { sameAs: first }
        const attributes = String(yield* kernel.listxattr(nodeid))
          .split("\0")
          .sort()
        const type = mode & S_IFMT
        // The kernel has no call that would set the mode of a symlink.
        const attr = { gid, mode: type === S_IFLNK ? type : mode, uid, attributes }
        if (type === S_IFLNK) return { ...attr, nlink, target: yield* kernel.readlink(nodeid) }
        if (type === S_IFREG)
          return {
            ...attr,
            nlink,
            size,
            bytes: createHash("sha256")
              .update(yield* kernel.read(nodeid, 0, 600_000))
              .digest("hex")
          }
        if (type !== S_IFDIR) return { ...attr, nlink }
        const entries: Array<unknown> = []
        const listed = (yield* kernel.readdir(nodeid))
          .map(({ name }) => String(name))
          .filter((name) => !name.startsWith("."))
        for (const name of listed.sort())
          entries.push([name, yield* visit((yield* kernel.lookup(nodeid, name)).nodeid, `${at}/${name}`)])
        return { ...attr, nlink, entries }
      })
    return visit(rootNode, "")
  })
  return { act, fill, walk, held: () => kernel.counts.keys() }
}

export const answer = (effect: Effect.Effect<unknown, ErrnoError>): Effect.Effect<unknown> =>
  Effect.match(effect, {
    onFailure: (error) => error._tag,
    onSuccess: (value) => (value instanceof Uint8Array ? Buffer.from(value).toString("base64") : value)
  })

export const makeClock = (): (() => Timespec) => {
  let sec = 1000
  return () => ({ sec: ++sec, nsec: sec % 7 })
}
