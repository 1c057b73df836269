/** The short form of `npm run soak`. */
import { assert, it } from "@effect/vitest"
import { join } from "node:path"
import { root } from "../mount/bickford.ts"
import { attempt } from "../mount/processes.ts"

it("half a minute of it on isolates whose operations and threads die", async () => {
  const soak = join(root, "test", "soak", "isolates.ts")
  const outcome = await attempt(process.execPath, ["--conditions=development", soak, "--seconds", "30"])
  assert.strictEqual(outcome.status, 0, `${outcome.stdout}${outcome.stderr}`)
})

it("half a minute of real load while operations die, the backend crashes and the dispatcher is killed", async () => {
  const soak = join(root, "test", "soak", "soak.ts")
  const outcome = await attempt(process.execPath, ["--expose-gc", "--conditions=development", soak, "--seconds", "30"])
  assert.strictEqual(outcome.status, 0, `${outcome.stdout}${outcome.stderr}`)
})
