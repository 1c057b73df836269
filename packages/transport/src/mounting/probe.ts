/** Whether a mount answers, asked by a process that can be left behind when it does not. */
import { patientTimeoutOrElse } from "@bickford/supervisor"
import * as Effect from "effect/Effect"
import { spawn } from "node:child_process"
import { isFuse, type MountEntry } from "./mountinfo.ts"

/** `dead`: its server is gone and every call fails with ENOTCONN. `silent`: no answer in time. */
export type Health = "alive" | "dead" | "silent"

/** Milliseconds that a mount may take to answer. */
const patience = 3000

/** What ENOTCONN is called, by glibc and by musl. */
const notConnected = /transport endpoint is not connected|socket not connected/i

/**
 * Who may ask: a mount without allow_other answers its user alone, and not even root. Undefined where this process's
 * own user will do.
 */
const askAs = ({ superOptions }: MountEntry): { readonly uid: number; readonly gid: number } | undefined => {
  const options = superOptions.split(",")
  const numberOf = (name: string): number =>
    Number(options.find((option) => option.startsWith(`${name}=`))?.slice(name.length + 1) ?? 0)
  if (process.geteuid?.() !== 0 || options.includes("allow_other") || numberOf("user_id") === 0) return undefined
  return { uid: numberOf("user_id"), gid: numberOf("group_id") }
}

/**
 * Examines a mount with stat(1) of its filesystem, which the kernel answers from no cache. A call of this process's own
 * would block one of its threads for as long as the mount's server likes. What is no FUSE mount is alive.
 */
export const probe = (mount: MountEntry): Effect.Effect<Health> => {
  if (!isFuse(mount)) return Effect.succeed("alive")
  return Effect.callback<Health>((resume) => {
    let stderr = ""
    const child = spawn("stat", ["-f", "--", mount.mountpoint], {
      cwd: "/",
      stdio: ["ignore", "ignore", "pipe"],
      env: { ...process.env, LC_ALL: "C" },
      ...askAs(mount)
    })
    child.stderr.on("data", (chunk: Buffer) => {
      stderr += chunk.toString()
    })
    // Without a stat(1) nothing says that the mount is dead, so it is left alone.
    child.on("error", () => resume(Effect.succeed("alive")))
    child.on("close", () => resume(Effect.succeed(notConnected.test(stderr) ? "dead" : "alive")))
    return Effect.sync(() => {
      child.kill("SIGKILL")
      child.stderr.destroy()
      child.unref()
    })
  }).pipe(patientTimeoutOrElse({ duration: patience, orElse: () => Effect.succeed<Health>("silent") }))
}
