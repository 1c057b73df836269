/** The program in the single executable: the command `bickford`, a worker process of its daemon, or a worker thread. */
import { pathToFileURL } from "node:url"
import { isMainThread } from "node:worker_threads"
import { importModule } from "@bickford/session"
import { lendOwnPackages } from "./ownPackages.ts"
import { syntaxMark, workerMark } from "./marks.ts"

export { modules } from "./modules.js"

const start = (): Promise<unknown> => {
  if (!isMainThread) {
    // The module that it serves may lie anywhere.
    lendOwnPackages()
    return import("../../../packages/session/src/worker/entry.ts")
  }
  const [, , mark, file = ""] = process.argv
  if (mark === syntaxMark) return importModule(pathToFileURL(file).href)
  if (mark !== workerMark) return import("../../../packages/bickford/src/cli/main.ts")
  // The worker finds its arguments where Node would put them.
  process.argv.splice(2, 1)
  return import("../../../packages/daemon/src/worker/entry.ts")
}

// A rejection that nobody handles ends the process, and Node prints the place of a syntax error.
void start()
