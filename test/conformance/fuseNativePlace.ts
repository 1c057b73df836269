/** The filesystem in memory of test/fuseNative, served by `@bickford/fuse-native` in a process of its own. */
import { spawn } from "node:child_process"
import { once } from "node:events"
import { mkdir, mkdtemp, rm, symlink, writeFile } from "node:fs/promises"
import { tmpdir } from "node:os"
import { join } from "node:path"
import { findMount } from "@bickford/transport"
import { abort, cleanUp, makeMountpoint, root } from "../mount/bickford.ts"
import { ended } from "../mount/processes.ts"

/** A folder in which the package can be required by the name that programs know it by. */
const withPackage = async (body: (folder: string) => Promise<void>): Promise<void> => {
  const folder = await mkdtemp(join(tmpdir(), "bickford-fuse-native-"))
  try {
    await mkdir(join(folder, "node_modules"))
    await writeFile(join(folder, "package.json"), "{}")
    await symlink(join(root, "packages", "fuse-native"), join(folder, "node_modules", "fuse-native"))
    await body(folder)
  } finally {
    await rm(folder, { recursive: true, force: true })
  }
}

/** Serves it while `body` works there, who may let go of a mount that hangs. The kernel checks permissions, since the operations are not told who calls. */
export const withFuseNative = (body: (folder: string, letGo: () => Promise<string>) => Promise<void>): Promise<void> =>
  withPackage(async (folder) => {
    const mountpoint = await makeMountpoint()
    const program = join(root, "test", "fuseNative", "filesystem.cjs")
    const node = ["--conditions=development", "--disable-warning=ExperimentalWarning"]
    const options = JSON.stringify({ defaultPermissions: true, allowOther: true })
    const server = spawn(process.execPath, [...node, program, folder, "fuse-native", mountpoint, options], {
      stdio: ["pipe", "pipe", "inherit"]
    })
    try {
      await Promise.race([
        once(server.stdout, "data"),
        once(server, "exit").then(([status]) => Promise.reject(new Error(`the server ended with ${status}`)))
      ])
      await body(mountpoint, () => abort(findMount(mountpoint)))
    } finally {
      server.stdin.end()
      await ended(server)
      await cleanUp(mountpoint, [])
    }
  })
