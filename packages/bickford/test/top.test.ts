import { assert, it } from "@effect/vitest"
import type { MountStatus, StatusReport } from "@bickford/daemon"
import { frame, orderNames, type Pair } from "../src/cli/top/frame.ts"
import { firstView, keysOf, pressed, screen, type View } from "../src/cli/top/view.ts"

const mount = (parts: Partial<MountStatus>): MountStatus => ({
  name: "home",
  source: "memory:",
  mountpoint: "/home",
  state: "running",
  pid: 7,
  since: 0,
  mountedAt: 0,
  restarts: 0,
  history: [],
  inFlight: 0,
  workerRss: 120 << 20,
  nodes: 0,
  handles: 0,
  passthroughFiles: 0,
  requests: 0,
  errors: 0,
  bytesRead: 0,
  bytesWritten: 0,
  operations: {},
  ...parts
})
/** `latencies` by step, four to each doubling of a microsecond. */
const operation = (
  count: number,
  errors: number,
  latencies: { readonly [step: number]: number }
): MountStatus["operations"][string] => ({ count, errors, microseconds: 0, latencies, p50: 0, p99: 0 })

const report = (...mounts: ReadonlyArray<MountStatus>): StatusReport => ({
  version: "1",
  pid: 1,
  startedAt: 0,
  rss: 60 << 20,
  heapUsed: 0,
  mounts
})

it("top shows what happened between two reports, by mount and operation", () => {
  const before = mount({
    requests: 1000,
    bytesRead: 0,
    operations: { LOOKUP: operation(900, 0, { 8: 900 }) }
  })
  const now = mount({
    requests: 5000,
    bytesRead: 8 << 20,
    errors: 3,
    restarts: 2,
    operations: {
      LOOKUP: operation(2900, 3, { 8: 900, 16: 1000, 24: 1000 }),
      READ: operation(8000, 0, { 12: 7900, 20: 100 }),
      MKDIR: operation(0, 0, {})
    }
  })
  const lines = frame(report(now), report(before), 2).split("\n")
  assert.match(lines[0] ?? "", /60 MiB, 1 mounts/)
  assert.match(lines[3] ?? "", /^home +running +2000 +4\.0 +0\.0 +0 +3 +2 +120$/)
  assert.match(lines.find((line) => line.startsWith("  READ ")) ?? "", /^ {2}READ +4000 +8 +32 +0$/)
  // Not the 900 of before, which were quicker.
  assert.match(lines.find((line) => line.startsWith("  LOOKUP ")) ?? "", /^ {2}LOOKUP +1000 +16 +64 +3$/)
  assert.isAbove(
    lines.findIndex((line) => line.startsWith("  LOOKUP")),
    lines.findIndex((line) => line.startsWith("  READ ")),
    "the busiest first"
  )
  assert.isUndefined(lines.find((line) => line.includes("MKDIR")))
  assert.match(
    frame(report(mount({ pid: 8, requests: 10 })), report(before), 1).split("\n")[3] ?? "",
    /^home +running +0 /
  )
})

const busy = (name: string, requests: number, restarts = 0): MountStatus => mount({ name, requests, restarts })
const pairOf = (...mounts: ReadonlyArray<MountStatus>): Pair => ({
  report: report(...mounts),
  earlier: report(...mounts.map((one) => ({ ...one, requests: 0 }))),
  seconds: 1
})
/** Styles as text, to be seen in what is compared. */
const marked = (style: string, text: string): string => `<${style}>${text.trimEnd()}`
const shownOn = (pair: Pair, view: View, rows = 24): ReadonlyArray<string> =>
  screen(pair, view, { columns: 80, rows }, marked)

const after = (pair: Pair, ...keys: ReadonlyArray<string>): View =>
  keys.reduce<View>((view, key) => {
    const next = pressed(view, key, pair)
    assert.notStrictEqual(next, "end")
    return next === "end" ? view : next
  }, firstView)

it("keys of top are taken one by one, an arrow's sequence as one", () => {
  assert.deepStrictEqual(keysOf("s\u001b[B\u001b[Aq\u001b"), ["s", "\u001b[B", "\u001b[A", "q", "\u001b"])
  for (const key of ["q", "\u0003"]) assert.strictEqual(pressed(firstView, key, undefined), "end")
  assert.strictEqual(pressed(firstView, "x", undefined), firstView)
})

it("top sorts its mounts by the next column with each s, the largest first", () => {
  const pair = pairOf(busy("few", 10, 3), busy("many", 500, 1))
  const names = (view: View) => shownOn(pair, view).flatMap((line) => /^(few|many) +running/.exec(line)?.[1] ?? [])
  assert.deepStrictEqual(names(firstView), ["few", "many"])
  assert.deepStrictEqual(names(after(pair, "s")), ["many", "few"])
  assert.deepStrictEqual(names(after(pair, "s", "s", "s", "s", "s")), ["few", "many"], "by restarts")
  assert.strictEqual(after(pair, ...orderNames.map(() => "s")).order, firstView.order)
})

it("top shows only the mounts that a typed text is in, until escape", () => {
  const pair = pairOf(mount({ name: "first" }), mount({ name: "queue" }), mount({ name: "third" }))
  const names = (view: View) => shownOn(pair, view).flatMap((line) => /^(first|queue|third) /.exec(line)?.[1] ?? [])
  const typing = after(pair, "/", "q", "u", "x", "\u007f")
  assert.deepStrictEqual([names(typing), typing.filter], [["queue"], "qu"], "q does not end it")
  assert.match(shownOn(pair, typing).at(-1) ?? "", /only with: qu_/)
  const typed = after(pair, "/", "i", "r", "\r")
  assert.deepStrictEqual(names(typed), ["first", "third"])
  assert.match(shownOn(pair, typed).at(-1) ?? "", /sorted by configured, only with ir;/)
  assert.strictEqual(after(pair, "/", "i", "r", "\r", "j", "j").chosen, "third", "the arrows pass over the others")
  assert.deepStrictEqual(names(after(pair, "/", "i", "r", "\r", "\u001b")), ["first", "queue", "third"])
  assert.deepStrictEqual(names(after(pair, "/", "i", "\u001b")), ["first", "queue", "third"])
})

it("top keeps the chosen mount on the screen, and the columns' names above it", () => {
  const pair = pairOf(...Array.from({ length: 50 }, (_, n) => busy(`mount${n}`, 0)))
  const down = Array.from({ length: 40 }, () => "j")
  const lines = shownOn(pair, after(pair, ...down), 12)
  assert.lengthOf(lines, 12)
  assert.match(lines[2] ?? "", /^<bold>MOUNT +STATE/)
  assert.isTrue(lines.some((line) => line.startsWith("<inverse>mount39 ")))
  assert.strictEqual(after(pair, ...down, "\u001b").chosen, undefined)
  assert.strictEqual(after(pair, "k").chosen, "mount49", "up begins at the end")
})

it("top marks what is not served, and helps", () => {
  const pair = pairOf(mount({ name: "lost", state: "failed" }), mount({ name: "soon", state: "backoff" }))
  const lines = shownOn(pair, firstView)
  assert.isTrue(lines.some((line) => line.startsWith("<red>lost ")))
  assert.isTrue(lines.some((line) => line.startsWith("<yellow>soon ")))
  assert.match(shownOn(pair, after(pair, "?")).join("\n"), /q, Ctrl-C +end/)
})
