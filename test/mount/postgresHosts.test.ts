/** One store in a database, mounted twice, on the real kernel. */
import { assert, it } from "@effect/vitest"
import { afterAll, beforeAll } from "vitest"
import { type Cluster, startCluster } from "../../packages/backends/test/postgres/cluster.ts"
import { lookForStale } from "../manyHosts/mounts.ts"
import { bickford } from "./bickford.ts"

let cluster: Cluster
beforeAll(async () => {
  cluster = await startCluster()
})
afterAll(() => cluster.remove())

it("is never seen through one mount as it was before a call through the other", async () => {
  const url = cluster.newStore()
  const { looks, some, stale } = await lookForStale(url, 200)
  assert.strictEqual(stale, 0, some.join("\n"))
  assert.isAtLeast(looks, 500)
  assert.include((await bickford(["fsck", url])).stdout, "clean")
})
