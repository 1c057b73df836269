/** Runs the soak's programs. */
import * as Effect from "effect/Effect"
import { spawn } from "node:child_process"
import { fileURLToPath } from "node:url"

const client = fileURLToPath(new URL("client.ts", import.meta.url))

/** What one of them says at its end; milliseconds. */
export interface Report {
  readonly calls: number
  readonly failed: number
  readonly slowest: number
  readonly wrong: ReadonlyArray<string>
}

/** Runs one for so many seconds; calls may fail with EIO and `expected`. */
export const runClient = (folder: string, duration: number, expected = "EIO"): Effect.Effect<Report> =>
  Effect.callback((resume) => {
    const child = spawn(process.execPath, [client, folder, String(duration), expected], {
      stdio: ["ignore", "pipe", "inherit"]
    })
    let output = ""
    child.stdout.setEncoding("utf8").on("data", (text: string) => (output += text))
    child.once("close", (status) => {
      const report: Report =
        status === 0
          ? JSON.parse(output)
          : { calls: 0, failed: 0, slowest: 0, wrong: [`the program ended with ${status}`] }
      resume(Effect.succeed(report))
    })
    return Effect.sync(() => child.kill("SIGKILL"))
  })
