/**
 * `npm run stale-reads -- [--pairs N]`: two mounts of one store, each with its own server, and N pairs (100,000) of a
 * change through one and looks through the other. Ends with 1 when a look told what was before.
 */
import { parseArgs } from "node:util"
import { startCluster } from "../../packages/backends/test/postgres/cluster.ts"
import { lookForStale } from "./mounts.ts"

const { values } = parseArgs({ options: { pairs: { type: "string", default: "100000" } } })
const pairs = Number(values.pairs)
if (!Number.isSafeInteger(pairs) || pairs <= 0) throw new Error(`--pairs takes a whole number, not ${values.pairs}`)
const cluster = await startCluster()
try {
  const begin = performance.now()
  const { looks, some, stale } = await lookForStale(cluster.newStore(), pairs, 24 * 60 * 60 * 1000)
  const seconds = (performance.now() - begin) / 1000
  console.log(`${pairs} pairs, ${looks} looks in ${seconds.toFixed(0)} s: ${stale} told what was before`)
  for (const line of some) console.log(line)
  process.exitCode = stale === 0 ? 0 : 1
} finally {
  cluster.remove()
}
