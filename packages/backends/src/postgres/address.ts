/** Where a store is: the URL of a database, as libpq writes it, and the schema in it. */
import { type PostgresStoreError, unusable } from "./errors.ts"

export interface Address {
  /** The URL without what is Bickford's own. */
  readonly url: URL
  readonly schema: string
  /** The URL without its password, for people. */
  readonly shown: string
  /** Names the store among others: server, database and schema. */
  readonly name: string
}

const schemaDefault = "bickford"
const schemaForm = /^[a-z_][a-z0-9_]{0,62}$/

/** What to do on a machine that has no server yet. */
export const howToBegin = `a store needs a PostgreSQL server, of this machine or another. On Debian:
  apt-get install postgresql
  su postgres -c "createuser bickford --pwprompt; createdb bickford --owner bickford"
  bickford mount postgresql://bickford@localhost/bickford MOUNTPOINT
with the password in PGPASSWORD or ~/.pgpass`

/** Takes an address apart; or says what is wrong with it. `given` may begin with `//`, where `postgres:` was taken off. */
export const parseAddress = (given: string): Address | PostgresStoreError => {
  if (given === "") return unusable(`no database is named; ${howToBegin}`)
  const text = given.startsWith("//") ? `postgres:${given}` : given
  const url = URL.canParse(text) ? new URL(text) : undefined
  if (url === undefined || (url.protocol !== "postgres:" && url.protocol !== "postgresql:"))
    return unusable(`${withoutPassword(text)} is not the URL of a database: postgresql://USER@HOST:PORT/DATABASE`)
  const schema = url.searchParams.get("schema") ?? schemaDefault
  if (!schemaForm.test(schema))
    return unusable(`schema ${schema}: the name of a schema has lower-case letters, digits and _, and 63 at the most`)
  url.searchParams.delete("schema")
  const shown = withoutPassword(text)
  return { url, schema, shown, name: `${url.host}${url.pathname} ${schema}` }
}

export const isAddress = (parsed: Address | PostgresStoreError): parsed is Address => "schema" in parsed

/** A URL as it can be shown: its password is left out. */
export const withoutPassword = (text: string): string => text.replace(/^([a-z]*:?\/\/[^/?#@:]*):[^/?#@]*@/, "$1@")
