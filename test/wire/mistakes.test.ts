/** What operations answer in JavaScript, where no type holds them back: the log says what, of which path, and what is expected. */
import { assert, it } from "@effect/vitest"
import type { Backend } from "@bickford/session"
import { FakeKernel } from "@bickford/session/testing"
import { PathFilesystem, tree } from "bickford"
import * as Effect from "effect/Effect"
import * as Exit from "effect/Exit"
import * as Logger from "effect/Logger"
import { attr, epoch, file, hello } from "./hello.ts"

/** A log, and the layer that writes it: each line with what was thrown behind it. */
const makeLog = () => {
  const lines: Array<string> = []
  return { lines, layer: Logger.layer([Logger.map(Logger.formatLogFmt, (line) => void lines.push(line))]) }
}

/** As JavaScript has it: whatever is returned. */
const answering = (operation: string, answer: () => unknown): Backend => hello({ [operation]: answer })

const { mode: _mode, ...modeless } = attr(2, 0o100644)
const entryWith = (changes: object) => () => Exit.succeed({ ...file, attr: { ...file.attr, ...changes } })

const looked = { op: "lookup", name: "hello" } as const
const asked = { op: "getattr", nodeid: 2, getattrFlags: 0, fh: 0 } as const
const rootAsked = { ...asked, nodeid: 1 } as const

type Asked = Extract<FakeKernel.RequestInput, { readonly op: "lookup" | "getattr" | "read" | "open" }>

const cases: ReadonlyArray<readonly [Backend, Asked, RegExp]> = [
  [
    answering("lookup", () => undefined),
    looked,
    /lookup of \/hello failed[^\n]*lookup returned undefined; expected: an Effect/
  ],
  [
    answering("getattr", () => ({ mode: 1 })),
    rootAsked,
    /getattr of \/ failed.*returned an object; .*PathFilesystem\.make/
  ],
  [answering("lookup", () => Exit.void), looked, /lookup of \/hello answered undefined; expected: an entry/],
  [answering("lookup", async () => undefined), looked, /lookup of \/hello answered undefined; expected: an entry/],
  [
    answering("lookup", () => Exit.succeed({ nodeid: 2 })),
    looked,
    /lookup of \/hello answered without generation; expected/
  ],
  [
    answering("lookup", () => Exit.succeed({ ...file, attr: modeless })),
    looked,
    /answered without attr\.mode; expected: attributes/
  ],
  [
    answering("lookup", entryWith({ size: "5" })),
    looked,
    /answered attr\.size as the string \\"5\\"; expected: a whole number/
  ],
  [answering("lookup", entryWith({ mtime: 5 })), looked, /answered attr\.mtime as a number, 5; expected: a time/],
  [
    answering("lookup", entryWith({ mode: 0o644 })),
    looked,
    /lookup of \/hello answered what cannot be sent: mode 0644 has no file type/
  ],
  [
    answering("getattr", () => Exit.succeed(null)),
    asked,
    /getattr of node 2 answered null; expected: \{ attrValid, attr \}/
  ],
  [
    { ...answering("getattr", () => Exit.succeed({ attrValid: epoch })), pathOf: () => "/dir/a\nb" },
    asked,
    /getattr of \/dir\/a\\\\nb answered without attr;/
  ],
  [
    {
      ...answering("getattr", () => Exit.void),
      pathOf: () => {
        throw new Error("nor that")
      }
    },
    asked,
    /getattr of node 2 answered undefined;/
  ],
  [
    answering("read", () => Exit.succeed(5)),
    { op: "read", nodeid: 2, fh: 0, offset: 0, size: 9, readFlags: 0, lockOwner: 0, flags: 0 },
    /read of node 2 answered a number, 5; expected: a Uint8Array/
  ],
  [
    answering("open", () => Exit.succeed({})),
    { op: "open", nodeid: 2, flags: 0, openFlags: 0 },
    /open of node 2 answered without fh; expected: an open file/
  ]
]

it.live.each(cases)("case %#: one line, and EIO for the one caller", ([backend, request, expected]) => {
  const log = makeLog()
  return Effect.gen(function* () {
    const { kernel, session } = yield* FakeKernel.serve(backend)
    yield* kernel.init()
    assert.strictEqual((yield* Effect.flip(kernel.call(request)))._tag, "EIO")
    assert.lengthOf(log.lines, 1)
    assert.match(log.lines[0] ?? "", expected)
    assert.notMatch(log.lines[0] ?? "", /Cannot read properties/)
    assert.strictEqual((yield* session.supervisor.tree).restarts, 0)
  }).pipe(Effect.provide(log.layer))
})

it.live("what callbacks throw is logged with their path", () => {
  const log = makeLog()
  const root = { dir: { bad: () => 5, worse: 7 } }
  return Effect.gen(function* () {
    // A tree as JavaScript may have it.
    const { kernel } = yield* FakeKernel.serve(Reflect.apply(tree, undefined, [root]))
    yield* kernel.init()
    assert.strictEqual((yield* Effect.flip(kernel.stat("/dir/worse")))._tag, "EIO")
    assert.match(
      log.lines.at(-1) ?? "",
      /lookup of \/dir\/worse failed.*tree: \/dir\/worse is a number, 7; expected: text/
    )
  }).pipe(Effect.provide(log.layer))
})

it.live("a fault deep in the tree names its path, not its node", () => {
  const log = makeLog()
  const filesystem = PathFilesystem.make({
    getattr: (path) => ({ mode: path === "/dir/file" ? 0o100644 : 0o040755, size: 1 }),
    read: () => {
      throw new Error("the disk is away")
    }
  })
  return Effect.gen(function* () {
    const { kernel } = yield* FakeKernel.serve(filesystem)
    yield* kernel.init()
    assert.strictEqual((yield* Effect.flip(kernel.readFile("/dir/file")))._tag, "EIO")
    assert.match(
      log.lines.at(-1) ?? "",
      /read of \/dir\/file failed: Error: the disk is away, at .*mistakes\.test\.ts:\d+:\d+\. Its caller gets EIO/
    )
  }).pipe(Effect.provide(log.layer))
})
