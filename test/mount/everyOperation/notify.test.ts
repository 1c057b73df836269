/** Notifications whose effect only a program can tell: a poll that wakes, a name that expires, nodes that are pruned. */
import { assert, describe, it } from "@effect/vitest"
import * as Effect from "effect/Effect"
import * as Exit from "effect/Exit"
import * as Fiber from "effect/Fiber"
import { serve } from "../inProcess.ts"
import { everyOperation, node } from "./backend.ts"
import { client } from "./rows.ts"

const long = { sec: 3600, nsec: 0 }

/** Waits until `holds`. */
const until = (holds: () => boolean, what: string): Effect.Effect<void> =>
  Effect.gen(function* () {
    while (!holds()) yield* Effect.sleep("5 millis")
  }).pipe(Effect.timeoutOrElse({ duration: "60 seconds", orElse: () => Effect.die(new Error(`never: ${what}`)) }))

/** As `everyOperation`, but names and attributes are trusted for an hour. */
const trusted = () => {
  const { asked, backend } = everyOperation()
  const { getattr, lookup } = backend
  return {
    asked,
    backend: {
      ...backend,
      lookup: (
        request: Parameters<NonNullable<typeof lookup>>[0],
        context: Parameters<NonNullable<typeof lookup>>[1]
      ) =>
        Effect.map(lookup?.(request, context) ?? Effect.die("no lookup"), (entry) => ({
          ...entry,
          entryValid: long,
          attrValid: long
        })),
      getattr: (
        request: Parameters<NonNullable<typeof getattr>>[0],
        context: Parameters<NonNullable<typeof getattr>>[1]
      ) =>
        Effect.map(getattr?.(request, context) ?? Effect.die("no getattr"), (reply) => ({ ...reply, attrValid: long }))
    }
  }
}

describe("notifications that a program feels", () => {
  it.live("poll: a program that waits in poll(2) is woken", () =>
    Effect.gen(function* () {
      const { backend } = everyOperation()
      const waits = new Set<number | bigint>()
      let events = 0
      const { mounted, mountpoint, run } = yield* serve({
        ...backend,
        poll: ({ flags, kh }) => {
          // FUSE_POLL_SCHEDULE_NOTIFY: the caller sleeps until it is told.
          if ((flags & 1) !== 0) waits.add(kh)
          return Exit.succeed(events)
        }
      })
      const program = `p = select.poll(); p.register(opened(), select.POLLIN); print(p.poll(100_000)[0][1])`
      const waiting = yield* Effect.forkChild(
        run("python3", ["-c", client, mountpoint, JSON.stringify([["poll", program]])])
      )
      yield* until(() => waits.size > 0, "a poll that wants to be told")
      events = 1
      for (const kh of waits) yield* mounted.session.notify.poll(kh)
      assert.strictEqual(yield* Fiber.join(waiting), "poll: 1\n")
    })
  )

  it.live("invalEntry with expireOnly: the name is looked up again, and what is open or mounted there stays", () =>
    Effect.gen(function* () {
      const { asked, backend } = trusted()
      const { mounted, mountpoint, run } = yield* serve(backend)
      const lookups = () => asked.filter((request) => request.op === "lookup" && request.name === "file").length
      const stat = run("stat", ["--format=%s", `${mountpoint}/file`])
      assert.strictEqual(yield* stat, "20\n")
      assert.strictEqual(yield* stat, "20\n")
      assert.strictEqual(lookups(), 1, "the name is trusted")
      yield* mounted.session.notify.invalEntry(1, "file", { expireOnly: true })
      assert.strictEqual(yield* stat, "20\n")
      assert.strictEqual(lookups(), 2)
      assert.isFalse(
        asked.some((request) => request.op === "forget" && request.nodeid === node.file),
        "the kernel keeps the node"
      )
    })
  )

  it.live("prune: the kernel gives back nodes that nobody uses, with all of their lookups", () =>
    Effect.gen(function* () {
      const { asked, backend } = trusted()
      const { mounted, mountpoint, run } = yield* serve(backend)
      yield* run("stat", [`${mountpoint}/file`])
      yield* run("stat", [`${mountpoint}/many`])
      yield* mounted.session.notify.prune([node.file, node.many])
      for (const nodeid of [node.file, node.many]) {
        yield* until(
          () => asked.some((request) => request.op === "forget" && request.nodeid === nodeid),
          `a FORGET of node ${nodeid}`
        )
      }
      assert.strictEqual(yield* run("stat", ["--format=%s", `${mountpoint}/file`]), "20\n")
    })
  )
})
