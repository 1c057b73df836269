/** `npm run conformance -- PLACE [GROUP...]`: the table in a place, counted by group. */
import { groups } from "./groups/index.ts"
import { isPlaceName, places } from "./places.ts"
import { runTable } from "./runTable.ts"

const [name = "plain", ...chosen] = process.argv.slice(2)
if (!isPlaceName(name)) {
  process.stderr.write(`unknown place ${name}; known: ${Object.keys(places).join(", ")}\n`)
  process.exit(2)
}

const total = { passed: 0, failed: 0, refused: 0 }
const line = (...columns: ReadonlyArray<string | number>): void =>
  console.log(columns.map((column, at) => at === 0 ? String(column).padEnd(20) : String(column).padStart(10)).join(""))

line(name, "passed", "failed", "refused")
await places[name]((place) =>
  runTable(place, groups.filter((group) => chosen.length === 0 || chosen.includes(group.name)), ({ failed, name: groupName, passed, refused }) => {
    total.passed += passed
    total.failed += failed.length
    total.refused += refused.length
    line(groupName, passed, failed.length, refused.length)
    for (const each of failed) console.log(`  failed: ${each}`)
    for (const each of refused) console.log(`  refused by the kernel: ${each}`)
  })
)
line("all", total.passed, total.failed, total.refused)
process.exitCode = total.failed === 0 ? 0 : 1
