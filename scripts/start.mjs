/** `npm start -- [MOUNTPOINT] [options of bickford mount]`: the filesystem in MOUNTPOINT.bickford, until Ctrl-C; it is there again the next time. */
import { mkdirSync } from "node:fs"
import { join, resolve } from "node:path"
import { become, bootstrap, fail, root } from "./bootstrap.mjs"

bootstrap()
// npm runs scripts in the package's folder; a relative path means the folder npm was called in.
const caller = process.env.INIT_CWD ?? process.cwd()
const [given, ...rest] = process.argv.slice(2)
const mountpoint = given === undefined ? join(root, "mnt") : resolve(caller, given)
try {
  mkdirSync(mountpoint, { recursive: true })
} catch (error) {
  // A dead mountpoint (ENOTCONN, or EEXIST for a folder that cannot be examined) is for `mount` to replace.
  if (error.code !== "ENOTCONN" && error.code !== "EEXIST") fail(`${mountpoint}: ${error.message}`)
}
become([
  join(root, "packages", "bickford", "src", "cli", "main.ts"),
  "mount",
  `sqlite:${mountpoint}.bickford`,
  mountpoint,
  ...rest
])
