/** A mount whose device the test's own process holds, so that servers of it can be killed and followed by others. */
import type { ConnectionRecord } from "@bickford/session"
import { fd, mountDevice, unmountDevice } from "@bickford/transport"
import * as Effect from "effect/Effect"
import { type ChildProcess, spawn } from "node:child_process"
import { mkdtemp, rm } from "node:fs/promises"
import { tmpdir } from "node:os"
import { join } from "node:path"
import { root } from "./bickford.ts"
import { commandsOn, mountpointFolder } from "./inProcess.ts"
import { ended } from "./processes.ts"

const isRecord = (message: unknown): message is ConnectionRecord =>
  typeof message === "object" && message !== null && "negotiated" in message

/** A folder for stores, removed with the scope. */
export const storeFolder = Effect.acquireRelease(
  Effect.promise(() => mkdtemp(join(tmpdir(), "bickford-store-"))),
  (path) => Effect.promise(() => rm(path, { recursive: true }))
)

/** Mounts a device that `program` of programs/ is to serve, as a process with these arguments and this environment. */
export const keep = Effect.fnUntraced(function* (program: string, args: ReadonlyArray<string>, env = process.env) {
  const mountpoint = yield* mountpointFolder
  const device = yield* mountDevice({ mountpoint, subtype: "bickford", allowOther: true, defaultPermissions: true })
  const descriptor = fd(device.handle)
  if (descriptor === undefined) return yield* Effect.die(new Error("the device is closed"))
  let record: ConnectionRecord | undefined
  let server: ChildProcess | undefined

  /** Starts a server, the first or the next, and waits until it serves; fails when it ends before. */
  const start = async (): Promise<ChildProcess> => {
    const started = spawn(
      process.execPath,
      [
        "--conditions=development",
        "--disable-warning=ExperimentalWarning",
        join(root, "test", "mount", "programs", program),
        ...args
      ],
      { env, stdio: ["ignore", "inherit", "inherit", "ipc", descriptor] }
    )
    server = started
    await new Promise<void>((resolve, reject) => {
      started.on("message", (message) => {
        if (isRecord(message)) record = message
        if (message === "serving") resolve()
      })
      started.once("exit", (status, signal) => reject(new Error(`the server ended with ${signal ?? status}`)))
      started.send({ resume: record })
    })
    return started
  }
  const kill = async (): Promise<void> => {
    server?.kill("SIGKILL")
    if (server !== undefined) await ended(server)
  }
  yield* Effect.addFinalizer(() => Effect.promise(kill))
  return { ...commandsOn(mountpoint), mountpoint, start, kill, unmount: unmountDevice(device) }
})
