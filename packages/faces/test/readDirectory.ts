/** readDirectory.ts ZIP: reads an archive's directory with yauzl alone; says how many milliseconds that takes, and how many entries there are. */
import { performance } from "node:perf_hooks"
import { openPromise } from "yauzl"

const begun = performance.now()
const archive = await openPromise(process.argv[2] ?? "", { lazyEntries: true })
let count = 0
for await (const _ of archive.eachEntry()) count++
process.stdout.write(`${JSON.stringify({ milliseconds: performance.now() - begun, count })}\n`)
