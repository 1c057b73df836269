/** `bickford top`: the daemon's mounts, looked at once a second. */
import { askStatus, socketIn, type StatusReport } from "@bickford/daemon"
import * as Console from "effect/Console"
import * as Effect from "effect/Effect"
import { frame } from "./frame.ts"

const interval = 1000
const home = "\x1b[H"
const clearBelow = "\x1b[J"
const otherScreen = "\x1b[?1049h\x1b[?25l"
const sameScreen = "\x1b[?25h\x1b[?1049l"

const write = (text: string): Effect.Effect<void> => Effect.sync(() => void process.stdout.write(text))

/** Until `q` or Ctrl-C. */
const quit = Effect.callback<void>((resume) => {
  const { stdin } = process
  const onData = (data: Buffer): void => {
    if (data.includes("q") || data.includes(0x03)) resume(Effect.void)
  }
  stdin.setRawMode(true).on("data", onData).resume()
  return Effect.sync(() => stdin.off("data", onData).setRawMode(false).pause())
})

const live = (socket: string) => {
  let earlier: StatusReport | undefined
  let at = 0
  const once = Effect.flatMap(askStatus(socket), (report) => {
    const now = performance.now()
    const text = frame(report, earlier, Math.max(0.001, (now - at) / 1000))
    earlier = report
    at = now
    // A terminal may not know its size.
    const [columns, rows] = [process.stdout.columns || 80, process.stdout.rows || 24]
    const lines = text
      .split("\n")
      .slice(0, Math.max(1, rows - 1))
      .map((line) => line.slice(0, columns))
    return write(`${home}${lines.map((line) => `${line}\x1b[K`).join("\n")}\n${clearBelow}`)
  })
  const always = Effect.forever(Effect.andThen(once, Effect.sleep(interval)))
  return Effect.acquireUseRelease(
    write(otherScreen),
    () => Effect.raceFirst(always, quit),
    () => write(sameScreen)
  )
}

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
    return once || !process.stdout.isTTY || !process.stdin.isTTY ? measured(socket) : live(socket)
  })
