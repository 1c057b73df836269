/** A program of examples/ that mounts something, in a process of its own. */
import { spawn } from "node:child_process"
import { join } from "node:path"
import { cleanUp, makeMountpoint, root } from "./bickford.ts"
import { ended, run } from "./processes.ts"

/** How an example is ended: by a signal, which its program listens to, or by an unmount. */
export type End = "SIGTERM" | "umount"

/** Runs the example with a mountpoint as its last argument, and `body` while it serves; gives what it said, once it has ended. */
export const withExample = async (
  name: string,
  args: ReadonlyArray<string>,
  body: (mountpoint: string) => Promise<void>,
  { end = "SIGTERM", env = {} }: { readonly end?: End; readonly env?: NodeJS.ProcessEnv } = {}
): Promise<string> => {
  const mountpoint = await makeMountpoint()
  const server = spawn(
    process.execPath,
    [
      "--conditions=development",
      "--disable-warning=ExperimentalWarning",
      join(root, "examples", name),
      ...args,
      mountpoint
    ],
    { stdio: ["ignore", "pipe", "inherit"], env: { ...process.env, ...env } }
  )
  let said = ""
  try {
    await new Promise<void>((resolve, reject) => {
      server.once("exit", (status) => reject(new Error(`the example ended with ${status}`)))
      server.stdout.setEncoding("utf8").on("data", (text: string) => {
        said += text
        if (said.includes("serving")) resolve()
      })
    })
    await body(mountpoint)
    if (end === "umount") await run("umount", [mountpoint])
    else server.kill("SIGTERM")
    const { status } = await ended(server)
    if (status !== 0) throw new Error(`the example ended with ${status}: ${said}`)
    return said
  } finally {
    server.kill("SIGKILL")
    await ended(server)
    await cleanUp(mountpoint, [])
  }
}
