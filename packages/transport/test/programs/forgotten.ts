/** Forgets handles, armed and not, and waits for the garbage collector to close them. Prints how many descriptors stay open. */
import { readdirSync } from "node:fs"
import { addon } from "../../src/native.ts"

const open = (): number => readdirSync("/proc/self/fd").length

if (global.gc === undefined) throw new Error("needs --expose-gc")
const before = open()
for (let i = 0; i < 200; i++) {
  addon.pipe_pair()
  addon.socketpair("seqpacket")
}
const most = open()
if (most < before + 800) throw new Error(`only ${most - before} descriptors were opened`)

// A collection may leave some for the next; after so many, nobody closes them.
for (let collections = 0; open() > before && collections < 1000; collections++) {
  global.gc()
  await new Promise((resolve) => setImmediate(resolve))
}
console.log(open() - before)
