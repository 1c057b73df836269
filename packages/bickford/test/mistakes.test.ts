/** Mistakes of somebody who writes JavaScript: each is told in one sentence, before anything is mounted. */
import { assert, describe, it } from "@effect/vitest"
import {
  memory,
  mount,
  MountFailure,
  passthrough,
  PathFilesystem,
  readOnly,
  servedByIsolates,
  sqlite,
  tree
} from "bickford"
import { serveForTest } from "bickford/testing"
import { backendFault } from "../../session/src/backendFault.ts"
import * as Effect from "effect/Effect"
import * as Exit from "effect/Exit"

/** Calls as JavaScript does, which no type holds back. */
const untyped = (call: (...args: ReadonlyArray<never>) => unknown, ...args: ReadonlyArray<unknown>): unknown =>
  Reflect.apply(call, undefined, args)

const mistakeOf = async (call: () => unknown): Promise<Error> => {
  try {
    await call()
  } catch (thrown) {
    if (thrown instanceof Error) return thrown
  }
  throw new Error("it was taken")
}

const answer = () => Exit.void

class Misspelt {
  readonly answers = 1
  getatr() {
    return this.answers
  }
}

const backends: ReadonlyArray<readonly [what: string, backend: unknown, sentence: string | RegExp]> = [
  [
    "a promise",
    Promise.resolve(memory()),
    /^the backend is a promise; it must be a backend.*: await the promise first$/
  ],
  ["undefined", undefined, "the backend is undefined; it must be a backend, or an Effect that acquires one"],
  ["null", null, /^the backend is null; it must be a backend/],
  ["a number", 3, /^the backend is a number, 3; it must be a backend/],
  ["a list", [memory()], /^the backend is an array; it must be a backend/],
  ["a function", memory, /^the backend is the function memory; it must be a backend.*: call it, memory\(\)$/],
  ["no function", { getattr: 3 }, "the backend's getattr is a number, 3; it must be a function, or undefined"],
  ["a promise of one", { read: Promise.resolve() }, /^the backend's read is a promise; it must be a function/],
  ["a slip", { readir: answer }, "the backend's readir is not an operation; did you mean readdir?"],
  ["letters in another order", { raed: answer }, "the backend's raed is not an operation; did you mean read?"],
  [
    "capitals",
    { copyfilerange: answer },
    "the backend's copyfilerange is not an operation; did you mean copyFileRange?"
  ],
  ["a slip in a class", new Misspelt(), "the backend's getatr is not an operation; did you mean getattr?"],
  ["a commit", { commit: answer }, /^the backend's commit is the function answer; it must be an Effect$/],
  [
    "a shared that was written into it",
    { shared: { module: "file:///backend.ts", data: 1 } },
    /^the backend's shared was written or copied, .*; give it by servedByIsolates\(backend, \{ module, data \}\), or leave it out$/
  ],
  [
    "a shared without a module",
    servedByIsolates({}, JSON.parse("{}")),
    /^the backend's shared is .* it must be an object/
  ],
  ["a flag", { durable: "yes" }, 'the backend\'s durable is the string "yes"; it must be true or false']
]

describe("a backend that is none", () => {
  it.each(backends)("%s: by mount and by serveForTest", async (_, backend, sentence) => {
    for (const given of [() => untyped(mount, "/nowhere", backend), () => untyped(serveForTest, backend)]) {
      const mistake = await mistakeOf(given)
      assert.instanceOf(mistake, MountFailure)
      if (typeof sentence === "string") assert.strictEqual(mistake.message, sentence)
      else assert.match(mistake.message, sentence)
    }
  })

  it("is told of too where an Effect acquires it", async () => {
    const acquired = await mistakeOf(() => untyped(serveForTest, Effect.succeed(memory)))
    assert.match(acquired.message, /the backend is the function memory; it must be a backend/)
  })

  it("is one with functions of its own", async () => {
    const own = {
      stats: answer,
      reads: answer,
      close: answer,
      lookup: answer,
      lookups: answer,
      remove: answer,
      mkfile: answer
    }
    assert.isUndefined(backendFault(own))
  })
})

describe("a backend that isolates may serve", () => {
  const shared = { module: "file:///backend.ts", data: 1 }

  it("has what they are told", () => {
    const backend = servedByIsolates(memory(), shared)
    assert.strictEqual(backend.shared, shared)
    assert.isUndefined(backendFault(backend))
  })

  it("is another when an operation of a copy is replaced, which one thread serves", () => {
    const changed = { ...servedByIsolates(memory(), shared), lookup: answer }
    assert.isUndefined(changed.shared)
    assert.isUndefined(backendFault(changed))
    assert.isUndefined(readOnly(servedByIsolates(memory(), shared)).shared)
  })
})

const misspeltOption = { entrytimeout: 0 }

const options: ReadonlyArray<readonly [what: string, call: () => unknown, sentence: RegExp]> = [
  ["memory", () => untyped(memory, { size: 3 }), /^memory: there is no option size; the options are .*\bcapacity\b/],
  ["a slip", () => untyped(memory, misspeltOption), /^memory: .* entrytimeout; did you mean entryTimeout\?$/],
  [
    "a text",
    () => untyped(memory, { capacity: "3G" }),
    /^memory: option capacity is the string "3G"; it must be a number/
  ],
  ["a number", () => untyped(memory, 3), /^memory: the options are a number, 3; they must be an object$/],
  ["a mode", () => untyped(memory, { mode: -1 }), /^memory: option mode is a number, -1; it must be permission bits/],
  ["sqlite", () => untyped(sqlite, "x.db", { file: 1 }), /^sqlite: there is no option file; the options are/],
  ["no store", () => untyped(sqlite), /^sqlite: the path is undefined; it must be a string/],
  ["passthrough", () => untyped(passthrough, "/tmp", { readonly: true }), /did you mean readOnly\?$/],
  [
    "no directory",
    () => untyped(passthrough, { path: "/tmp" }),
    /^passthrough: the path is an object; it must be a string/
  ],
  ["a tree", () => untyped(tree, "text"), /^tree: the root is the string "text"; it must be an object/],
  ["a tree's", () => untyped(tree, {}, misspeltOption), /^tree: .*did you mean entryTimeout\?$/],
  ["callbacks", () => untyped(PathFilesystem.make), /^PathFilesystem.make: the callbacks are undefined; expected/],
  [
    "a misspelt callback",
    () => untyped(PathFilesystem.make, { getattr: answer, readir: answer }),
    /^PathFilesystem.make: there is no callback readir; did you mean readdir\?$/
  ],
  [
    "callbacks' options",
    () => untyped(PathFilesystem.make, { getattr: answer }, { attrTimeout: "1s" }),
    /^PathFilesystem.make: option attrTimeout is the string "1s"; it must be a number of seconds/
  ]
]

it.each(options)("%s: wrong arguments are told of at once", async (_, call, sentence) => {
  const mistake = await mistakeOf(call)
  assert.instanceOf(mistake, TypeError)
  assert.match(mistake.message, sentence)
})
