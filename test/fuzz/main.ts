/**
 * `npm run fuzz -- [--seed N] [--frames N] [--lives N] [--length N] [--on NAME]`: random and broken frames, first
 * through the decoders alone, then through whole sessions over each filesystem. Prints the seed, by which a
 * failure comes again, and ends with 1 at the first.
 */
import { parseArgs } from "node:util"
import { fuzz } from "./frames.ts"
import { fuzzed, isFuzzedName } from "./places.ts"
import { fuzzSession } from "./session.ts"

const { values } = parseArgs({
  options: {
    seed: { type: "string", default: String(Date.now() >>> 0) },
    frames: { type: "string", default: "1000000" },
    lives: { type: "string", default: "2000" },
    length: { type: "string", default: "100" },
    on: { type: "string" }
  }
})
const seed = Number(values.seed)
const names = values.on === undefined ? Object.keys(fuzzed) : [values.on]

const timed = async <A>(what: string, work: () => A | Promise<A>): Promise<void> => {
  const began = performance.now()
  const result = await work()
  console.log(
    `${what} (seed ${seed}): ${result === undefined ? "all held" : JSON.stringify(result)}, in ${((performance.now() - began) / 1000).toFixed(1)} s`
  )
}

await timed(`${values.frames} frames`, () => fuzz(Number(values.frames), seed))
for (const name of names) {
  if (!isFuzzedName(name)) throw new Error(`--on ${name}: one of ${Object.keys(fuzzed).join(", ")}`)
  await timed(`${values.lives} lives over ${name}`, () =>
    fuzzSession(name, { seed, lives: Number(values.lives), frames: Number(values.length) })
  )
}
