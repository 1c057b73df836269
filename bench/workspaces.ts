/**
 * `npm run workspaces -- [--largest N] [--rounds N] [--only costs|besides]`: what branches cost, and real programs on a branch
 * beside overlayfs, fuse-overlayfs and a plain copy. All of it lies on a tmpfs.
 */
import * as Effect from "effect/Effect"
import { parseArgs } from "node:util"
import { makeWorkplace } from "./workplace.ts"
import { measureBesides } from "./workspaces/besides.ts"
import { measureBranchCosts } from "./workspaces/branchCosts.ts"

const { values } = parseArgs({
  options: {
    largest: { type: "string", default: "1000000" },
    rounds: { type: "string", default: "3" },
    only: { type: "string" }
  }
})
const sizes = [10, 10_000, 100_000, 1_000_000].filter((files) => files <= Number(values.largest))
const workplace = await makeWorkplace()
try {
  if (values.only !== "besides")
    await Effect.runPromise(measureBranchCosts(await workplace.makeStorage("costs"), sizes))
  if (values.only !== "costs") await measureBesides(await workplace.makeStorage("besides"), Number(values.rounds))
} finally {
  await workplace.remove()
}
