/** `bickford top`: the daemon's mounts, looked at once a second. */
import { askStatus, socketIn } from "@bickford/daemon"
import * as Console from "effect/Console"
import * as Deferred from "effect/Deferred"
import * as Effect from "effect/Effect"
import { styled } from "../styled.ts"
import { frame, type Pair } from "./frame.ts"
import { firstView, keysOf, pressed, screen } from "./view.ts"

const interval = 1000
const home = "\x1b[H"
const clearBelow = "\x1b[J"
const otherScreen = "\x1b[?1049h\x1b[?25l"
const sameScreen = "\x1b[?25h\x1b[?1049l"

const write = (text: string): Effect.Effect<void> => Effect.sync(() => void process.stdout.write(text))

/** Gives `hear` the keys that are pressed, until the effect is interrupted. */
const keyboard = (hear: (key: string) => void): Effect.Effect<never> =>
  Effect.callback<never>(() => {
    const { stdin } = process
    const onData = (data: Buffer): void => {
      for (const key of keysOf(data.toString("utf8"))) hear(key)
    }
    stdin.setRawMode(true).on("data", onData).resume()
    return Effect.sync(() => stdin.off("data", onData).setRawMode(false).pause())
  })

/** Draws `pair` as the keys want it, again with each of them. */
const makeScreen = (ended: () => void) => {
  let view = firstView
  let pair: Pair | undefined
  const draw = (): void => {
    if (pair === undefined) return
    // A terminal may not know its size.
    const size = { columns: process.stdout.columns || 80, rows: process.stdout.rows || 24 }
    const lines = screen(pair, view, size, styled)
    process.stdout.write(`${home}${lines.map((line) => `${line}\x1b[K`).join("\r\n")}${clearBelow}`)
  }
  return {
    isPaused: () => view.isPaused,
    show: (latest: Pair) => {
      pair = latest
      draw()
    },
    press: (key: string) => {
      const next = pressed(view, key, pair)
      if (next === "end") return ended()
      view = next
      draw()
    }
  }
}

const live = (socket: string) =>
  Effect.gen(function* () {
    const quit = yield* Deferred.make<void>()
    const shown = makeScreen(() => Deferred.doneUnsafe(quit, Effect.void))
    let earlier: Pair["report"] | undefined
    let at = 0
    const look = Effect.map(askStatus(socket), (report) => {
      const now = performance.now()
      const pair: Pair = { report, earlier, seconds: Math.max(0.001, (now - at) / 1000) }
      earlier = report
      at = now
      if (!shown.isPaused()) shown.show(pair)
    })
    const looking = Effect.forever(Effect.andThen(look, Effect.sleep(interval)))
    yield* Effect.raceAllFirst([looking, keyboard(shown.press), Deferred.await(quit)])
  })

/** On no terminal, or when asked to: what happens in one second, and no more. */
const measured = (socket: string) =>
  Effect.gen(function* () {
    const earlier = yield* askStatus(socket)
    const start = performance.now()
    yield* Effect.sleep(interval)
    const report = yield* askStatus(socket)
    yield* Console.log(frame(report, earlier, (performance.now() - start) / 1000))
  })

export const top = (runtimeDirectory: string, once: boolean) =>
  Effect.suspend(() => {
    const socket = socketIn(runtimeDirectory)
    if (once || !process.stdout.isTTY || !process.stdin.isTTY) return measured(socket)
    return Effect.acquireUseRelease(
      write(otherScreen),
      () => live(socket),
      () => write(sameScreen)
    )
  })
