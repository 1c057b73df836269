/** Run with --expose-gc: prints the heap an empty file takes, in bytes, without its name's own, and what stays when all are gone. */
import { requestContext } from "@bickford/session/testing"
import { memory } from "../../src/index.ts"

const files = 300_000
const backend = memory({ capacity: 2 ** 20 })
const context = requestContext()
const header = { unique: 2, nodeid: 1, uid: 0, gid: 0, pid: 1 }
const names = Array.from({ length: files }, (_, n) => Buffer.from(`name-of-a-file-${n}`).toString("latin1"))

const used = (): number => {
  globalThis.gc?.()
  return process.memoryUsage().heapUsed
}
const before = used()
for (const name of names) backend.mknod?.({ op: "mknod", ...header, name, mode: 0o100644, rdev: 0, umask: 0 }, context)
const full = used()
for (const name of names) backend.unlink?.({ op: "unlink", ...header, name }, context)
for (let node = 2; node < files + 2; node++) backend.forget?.(node, 1, 0)
const after = used()
process.stdout.write(
  JSON.stringify({ perFile: (full - before) / files, left: (after - before) / files, ...backend.stats() })
)
