/** `npm run differential -- [--place memory] [--against plain] [--calls 100000] [--seed 1] [--length 200]` */
import { parseArgs } from "node:util"
import { isPlaceName, places } from "../conformance/places.ts"
import { runDifferential } from "./runDifferential.ts"

const refuse = (reason: string): never => {
  process.stderr.write(
    `${reason}\nnpm run differential -- [--place PLACE] [--against PLACE] [--calls 100000] [--seed 1] [--length 200]; places: ${Object.keys(places).join(", ")}\n`
  )
  return process.exit(2)
}

const read = () => {
  try {
    return parseArgs({
      options: {
        place: { type: "string", default: "memory" },
        against: { type: "string", default: "plain" },
        calls: { type: "string", default: "100000" },
        seed: { type: "string", default: "1" },
        length: { type: "string", default: "200" }
      }
    }).values
  } catch (error) {
    return refuse(error instanceof Error ? error.message : String(error))
  }
}

const values = read()
if (!isPlaceName(values.place)) throw refuse(`unknown place ${values.place}`)
if (!isPlaceName(values.against)) throw refuse(`unknown place ${values.against}`)
const began = Date.now()
const found = await runDifferential({
  place: values.place,
  against: values.against,
  calls: Number(values.calls),
  seed: Number(values.seed),
  length: Number(values.length)
})
for (const each of found) console.log(each)
console.log(
  `${values.calls} calls on ${values.against} and on ${values.place}: ${found.length} differences, ${Date.now() - began} ms`
)
process.exitCode = found.length === 0 ? 0 : 1
