/** node-gyp with the arguments given, against the headers of the system's Node where it has them. */
import { spawnSync } from "node:child_process"
import { gypArguments, node } from "./bootstrap.mjs"

const done = spawnSync(node, gypArguments(process.argv.slice(2)), { stdio: "inherit" })
process.exit(done.status ?? 1)
