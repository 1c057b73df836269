/**
 * `npm run power-cut -- [--mount] [--seed N] [--rounds N] [--moments N]`: the power goes at every moment of what several servers
 * of a store wrote, or at about N moments, one round for each seed from N on. With `--mount` the store is mounted, and several
 * processes write to it. Ends with 1 when anything that an fsync had promised was lost, or fsck finds anything.
 */
import * as Effect from "effect/Effect"
import { parseArgs } from "node:util"
import { storeFolder } from "../mount/keeper.ts"
import { mountedLoad, runPowerCutTest, serversLoad } from "./powerCut.ts"

const { values } = parseArgs({
  options: {
    mount: { type: "boolean", default: false },
    seed: { type: "string", default: "1" },
    rounds: { type: "string", default: "3" },
    moments: { type: "string", default: "0" }
  }
})
const first = Number(values.seed)
let failed = false
for (let seed = first; seed < first + Number(values.rounds); seed++) {
  const test = { seed, lives: 4, clients: 4, operations: 300, moments: Number(values.moments) }
  const { calls, cuts, failures, promises } = await Effect.runPromise(
    Effect.scoped(
      Effect.flatMap(storeFolder, (folder) => runPowerCutTest(folder, test, values.mount ? mountedLoad : serversLoad))
    )
  )
  console.log(
    `seed ${seed}: ${calls} calls, ${cuts} power cuts, ${promises} promises of fsync looked at, ${failures.length} failures`
  )
  for (const failure of failures) console.log(`FAILED ${failure}`)
  failed ||= failures.length > 0
}
process.exitCode = failed ? 1 : 0
