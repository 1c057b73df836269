/** Stores for tests, of one server for the tests of a file. */
import { afterAll, beforeAll } from "@effect/vitest"
import * as Effect from "effect/Effect"
import { type Cluster, startCluster } from "./cluster.ts"

/** The server of the tests of a file: called at its top level. */
export const useCluster = (): (() => Cluster) => {
  let cluster: Cluster | undefined
  beforeAll(async () => {
    cluster = await startCluster()
  })
  afterAll(() => cluster?.remove())
  return () => {
    if (cluster === undefined) throw new Error("the server is not running yet")
    return cluster
  }
}

/** The URL of a store that is not there yet. */
export const newStore = (cluster: () => Cluster): Effect.Effect<string> => Effect.sync(() => cluster().newStore())
