/** Connects with a database and opens the store in it, for as long as the scope lasts. */
import * as Effect from "effect/Effect"
import type * as Scope from "effect/Scope"
import { type Address, howToBegin, isAddress, parseAddress } from "./address.ts"
import { type Database, DatabaseError } from "./database.ts"
import { connect } from "./driver.ts"
import { type PostgresStoreError, unusable } from "./errors.ts"
import type { OpenStore } from "./filesystem.ts"
import { prepareStore, readHashKey } from "./open.ts"
import type { PostgresOptions } from "./options.ts"

const connectionsDefault = 4

/** Names of what OpenSSL and Node refuse a certificate for. */
const certificateRefused = /^ERR_TLS_CERT|CERT|SIGNATURE/

/** What somebody can do about a connection that does not come about. */
const adviceOnConnection = ({ cause, message }: DatabaseError): string => {
  const code = cause instanceof Error && "code" in cause ? String(cause.code) : ""
  if (certificateRefused.test(code))
    return "; sslmode asks for a certificate of the host that the URL names, from an authority in sslrootcert"
  if (message.includes("SSL")) return "; have the server offer TLS, or leave sslmode out"
  return `; is a server running there? If there is none yet: ${howToBegin}`
}

/** What somebody can do about a server that cannot be reached, or does not let them in. */
const advice = (error: unknown): string => {
  if (!(error instanceof DatabaseError)) return ""
  switch (error.code) {
    case undefined:
      return adviceOnConnection(error)
    case "28P01":
    case "28000":
      return "; give the password in PGPASSWORD or ~/.pgpass, and look at pg_hba.conf on the server"
    case "3D000":
      return `; make it on the server: su postgres -c "createdb NAME --owner USER"`
    case "42501":
      return "; the user must be allowed to make a schema (GRANT CREATE ON DATABASE), or own the one that is there"
    default:
      return ""
  }
}

/** What an error means for those who want the store. */
export const explain = (address: Address, error: unknown): PostgresStoreError =>
  unusable(`${address.shown}: ${error instanceof Error ? error.message : String(error)}${advice(error)}`)

const named = (address: Address, { message }: PostgresStoreError): PostgresStoreError =>
  unusable(`${address.shown}: ${message}`)

/** Connections with the database of an address, closed with the scope. */
export const openDatabase = (
  address: Address,
  connections: number
): Effect.Effect<Database, PostgresStoreError, Scope.Scope> =>
  Effect.acquireRelease(
    Effect.tryPromise({ try: () => connect(address, connections), catch: (error) => explain(address, error) }),
    (database) => Effect.promise(() => database.close())
  )

/** Opens the store that a URL names; one that is not there is made. */
export const openStore = Effect.fnUntraced(function* (url: string, options: PostgresOptions) {
  const address = parseAddress(url)
  if (!isAddress(address)) return yield* Effect.fail(address)
  const database = yield* openDatabase(address, Math.max(2, options.connections ?? connectionsDefault))
  const prepared = yield* Effect.tryPromise({
    try: async () => {
      const refused = await prepareStore(database, address.schema)
      return refused ?? { key: await readHashKey(database) }
    },
    catch: (error) => explain(address, error)
  })
  if (!("key" in prepared)) return yield* Effect.fail(named(address, prepared))
  const opened: OpenStore = { database, key: prepared.key, name: address.name }
  return opened
})
