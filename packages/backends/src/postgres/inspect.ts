/** Looks at a store that may be mounted meanwhile, and changes nothing. */
import * as Effect from "effect/Effect"
import { type Address, isAddress, parseAddress } from "./address.ts"
import type { Database } from "./database.ts"
import { type PostgresStoreError, unusable } from "./errors.ts"
import { versionOf } from "./open.ts"
import { explain, openDatabase } from "./openStore.ts"
import { migrations } from "./schema.ts"

/** Why there is nothing to look at; undefined for a store of this version. */
const notUsable = (version: number | undefined): string | undefined => {
  if (version === migrations.length) return undefined
  if (version === undefined) return "there is no store in it; the first mount makes one"
  return version < migrations.length
    ? `the store is of version ${version}; mount it once with this Bickford, which brings it to version ${migrations.length}`
    : `the store was made by a later Bickford (store version ${version}, this one knows ${migrations.length}); use that one`
}

/** Opens the database that a URL names, has `look` see a store of this version, and closes it. */
export const inspectStore = <A>(
  url: string,
  look: (database: Database, address: Address) => Promise<A>
): Effect.Effect<A, PostgresStoreError> =>
  Effect.scoped(
    Effect.gen(function* () {
      const address = parseAddress(url)
      if (!isAddress(address)) return yield* Effect.fail(address)
      const database = yield* openDatabase(address, 1)
      const attempt = <B>(work: () => Promise<B>): Effect.Effect<B, PostgresStoreError> =>
        Effect.tryPromise({ try: work, catch: (error) => explain(address, error) })
      const reason = notUsable(yield* attempt(() => versionOf(database)))
      if (reason !== undefined) return yield* Effect.fail(unusable(`${address.shown}: ${reason}`))
      return yield* attempt(() => look(database, address))
    })
  )
