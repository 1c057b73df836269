/** Prints by how many bytes files that come and go, a few at a time, make V8's old space grow: what only a collection of the whole heap gives back. */
import { requestContext } from "@bickford/session/testing"
import { getHeapSpaceStatistics } from "node:v8"
import { memory } from "../../src/index.ts"

const backend = memory()
const context = requestContext()
const header = { unique: 2, nodeid: 1, uid: 0, gid: 0, pid: 1 }
let made = 0

const churn = (files: number): void => {
  for (let n = 0; n < files; n++) {
    const name = `temporary-${made++}`
    backend.mknod?.({ op: "mknod", ...header, name, mode: 0o100644, rdev: 0, umask: 0 }, context)
    backend.unlink?.({ op: "unlink", ...header, name }, context)
    backend.forget?.(2, 1, 0)
  }
}
const old = (): number =>
  getHeapSpaceStatistics().find(({ space_name }) => space_name === "old_space")?.space_used_size ?? 0

churn(50_000)
const before = old()
churn(200_000)
process.stdout.write(JSON.stringify({ grown: old() - before, ...backend.stats() }))
