/** Whether a mount answers, asked by a process that can be killed when it does not. */
import * as Effect from "effect/Effect"
import { spawn } from "node:child_process"

/** `dead`: its server is gone and every call fails with ENOTCONN. `silent`: no answer within the timeout. */
export type Health = "alive" | "dead" | "silent"

/**
 * Examines `path` with stat(1). A call of this process's own would block one of its threads for as long
 * as the mount's server likes.
 */
export const probe = (path: string, timeoutMilliseconds = 3000): Effect.Effect<Health> =>
  Effect.callback<Health>((resume) => {
    let stderr = ""
    const child = spawn("stat", ["--", path], { stdio: ["ignore", "ignore", "pipe"], env: { ...process.env, LC_ALL: "C" } })
    const timer = setTimeout(() => {
      child.kill("SIGKILL")
      child.stderr.destroy()
      child.unref()
      resume(Effect.succeed("silent"))
    }, timeoutMilliseconds)
    const settle = (health: Health) => {
      clearTimeout(timer)
      resume(Effect.succeed(health))
    }
    child.stderr.on("data", (chunk: Buffer) => {
      stderr += chunk.toString()
    })
    // Without a stat(1) nothing says that the mount is dead, so it is left alone.
    child.on("error", () => settle("alive"))
    child.on("close", () => settle(/transport endpoint is not connected/i.test(stderr) ? "dead" : "alive"))
    return Effect.sync(() => {
      clearTimeout(timer)
      child.kill("SIGKILL")
    })
  })
