/** debugged.ts MOUNTPOINT: an empty filesystem with `debug`, looked into once. */
import { execFile } from "node:child_process"
import { promisify } from "node:util"
import { Fuse } from "../src/index.ts"

const [mountpoint = ""] = process.argv.slice(2)
const fuse = new Fuse(
  mountpoint,
  { getattr: (path, cb) => (path === "/" ? cb(0, { mode: 0o040755, nlink: 2 }) : cb(-2)) },
  { debug: true }
)
await promisify((cb: (error: Error | null) => void) => fuse.mount(cb))()
await promisify(execFile)("ls", [`${mountpoint}/none`]).catch(() => undefined)
await promisify((cb: (error: Error | null) => void) => fuse.unmount(cb))()
