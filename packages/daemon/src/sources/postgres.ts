/** `postgres:URL`, a store in a database. */
import * as Effect from "effect/Effect"
import { commandError } from "../CommandError.ts"
import { locksOfTheKernel } from "./locks.ts"
import type { SourceKind } from "./SourceKind.ts"

const load = () => import("@bickford/backends")

export const postgresSource: SourceKind = {
  kind: "postgres",
  operand: "URL",
  elsewhere: true,
  help: "a store in a PostgreSQL database",
  needs: "the URL of a database, as postgresql://USER@HOST/DATABASE",
  missing: `It needs a PostgreSQL server, of this machine or another. On Debian:
  apt-get install postgresql
  su postgres -c "createuser bickford --pwprompt; createdb bickford --owner bickford"
  npm install pg
  bickford mount postgresql://bickford@localhost/bickford MOUNTPOINT
with the password in PGPASSWORD or ~/.pgpass (docs/postgres.md)`,
  exclusive: true,
  covered: undefined,
  options: [
    "entry_timeout",
    "attr_timeout",
    "negative_timeout",
    "mode",
    "size",
    "nr_inodes",
    "no_xattr",
    "connections",
    "server_grace",
    "many_hosts"
  ],
  refuses: locksOfTheKernel,
  load,
  open: (url, options) =>
    Effect.flatMap(Effect.promise(load), ({ postgres }) => {
      const store = postgres(url, { ...options.memory, ...options.postgres })
      // Opened once before the mount: what is wrong with it is said then.
      return Effect.scoped(store).pipe(
        Effect.mapError(({ message }) => commandError(message)),
        Effect.as(store)
      )
    })
}
