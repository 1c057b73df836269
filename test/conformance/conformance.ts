/** `npm run conformance -- PLACE [GROUP...]`: the table in a place, counted by group. */
import { groups } from "./groups/index.ts"
import { reasonFor } from "./limits.ts"
import { isPlaceName, places } from "./places.ts"
import { runTable } from "./runTable.ts"

const [name = "plain", ...chosen] = process.argv.slice(2)
if (!isPlaceName(name)) {
  process.stderr.write(`unknown place ${name}; known: ${Object.keys(places).join(", ")}\n`)
  process.exit(2)
}

let unexplained = 0
const total = { passed: 0, failed: 0, refused: 0 }
const line = (...columns: ReadonlyArray<string | number>): void =>
  console.log(
    columns.map((column, at) => (at === 0 ? String(column).padEnd(20) : String(column).padStart(10))).join("")
  )

line(name, "passed", "failed", "refused")
await places[name]((place) =>
  runTable(
    place,
    groups.filter((group) => chosen.length === 0 || chosen.includes(group.name)),
    ({ failed, name: groupName, passed, refused }) => {
      total.passed += passed
      total.failed += failed.length
      total.refused += refused.length
      line(groupName, passed, failed.length, refused.length)
      for (const each of failed) {
        const reason = reasonFor(name, groupName, each)
        if (reason === undefined) unexplained++
        console.log(`  failed: ${each}${reason === undefined ? "" : ` (${reason})`}`)
      }
      for (const each of refused) console.log(`  refused by the kernel: ${each}`)
    }
  )
)
line("all", total.passed, total.failed, total.refused)
if (total.failed > unexplained)
  console.log(`${total.failed - unexplained} failures have a reason, ${unexplained} have none`)
process.exitCode = unexplained === 0 ? 0 : 1
