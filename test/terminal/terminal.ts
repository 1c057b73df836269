/** A command in a pseudo-terminal of its own, by script(1) of util-linux, which every Debian has. */
import * as Effect from "effect/Effect"
import type * as Scope from "effect/Scope"
import { spawn } from "node:child_process"
import { stripVTControlCharacters } from "node:util"
import { ended } from "../mount/processes.ts"
import { until } from "../daemon/daemon.ts"

export interface Terminal {
  /** Everything that was written to it, escape sequences too. */
  readonly text: () => string
  readonly press: (keys: string) => void
  /** Waits until what was written from `from` on, its escape sequences left out, matches. Returns where the text ends then. */
  readonly shows: (pattern: RegExp, from?: number) => Promise<number>
  /** Its exit status, once it has ended. */
  readonly status: Promise<number | null>
}

export interface TerminalOptions {
  readonly columns?: number
  readonly rows?: number
  readonly env?: NodeJS.ProcessEnv
}

/** What a person reads: without the sequences that move the cursor and choose colours. */
export const plain = (text: string): string => stripVTControlCharacters(text).replaceAll("\r", "")

const quoted = (word: string): string => `'${word.replaceAll("'", String.raw`'\''`)}'`

/** Runs a command, its words as they are, until the scope closes or it ends. */
export const terminal = (
  command: ReadonlyArray<string>,
  { columns = 100, env = {}, rows = 30 }: TerminalOptions = {}
): Effect.Effect<Terminal, never, Scope.Scope> =>
  Effect.map(
    Effect.acquireRelease(
      Effect.sync(() => {
        const line = `stty rows ${rows} cols ${columns}; exec ${command.map(quoted).join(" ")}`
        const { CI: _ci, FORCE_COLOR: _force, NO_COLOR: _none, ...inherited } = process.env
        const child = spawn("script", ["--quiet", "--flush", "--return", "--command", line, "/dev/null"], {
          cwd: "/",
          env: { ...inherited, TERM: "xterm-256color", SHELL: "/bin/sh", ...env },
          stdio: ["pipe", "pipe", "inherit"]
        })
        let text = ""
        child.stdout.setEncoding("utf8").on("data", (part: string) => (text += part))
        child.stdin.on("error", () => {})
        const closed = new Promise<number | null>((resolve) => child.once("close", (status) => resolve(status)))
        return { child, text: () => text, closed }
      }),
      ({ child }) =>
        Effect.promise(async () => {
          // Its end hangs the terminal up.
          child.kill("SIGTERM")
          await ended(child)
        })
    ),
    ({ child, closed, text }) => ({
      text,
      press: (keys) => void child.stdin.write(keys),
      shows: (pattern, from = 0) =>
        until(async () => (pattern.test(plain(text().slice(from))) ? text().length : undefined), String(pattern)).catch(
          (error: unknown) => {
            throw new Error(`${String(error)}; the terminal has: ${plain(text()).slice(-3000)}`)
          }
        ),
      status: closed
    })
  )
