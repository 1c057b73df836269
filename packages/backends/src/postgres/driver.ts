/**
 * The driver: `pg`, loaded when a store is opened and only then, so that nobody else has to have it. docs/decisions tells
 * why it is this one.
 */
import type { Client, PoolClient, QueryArrayConfig } from "pg"
import { setTimeout as delay } from "node:timers/promises"
import type { Address } from "./address.ts"
import { type Database, DatabaseError, type Row, type RunStatement } from "./database.ts"

/** Milliseconds after which a connection that does not come about, and one that brings no answer, count as lost. */
const connectTimeout = 5000
const answerTimeout = 20_000

/** What `pg` rejects with, as far as it is looked at. */
interface DriverError extends Error {
  readonly code?: string
  /** Only the server's own errors have one. */
  readonly severity?: string
}

const asDatabaseError = (error: unknown): DatabaseError => {
  if (error instanceof DatabaseError) return error
  if (!(error instanceof Error)) return new DatabaseError({ message: String(error), code: undefined, cause: error })
  const { code, message, severity }: DriverError = error
  // An AggregateError of all addresses of a host has no message.
  return new DatabaseError({
    message: message === "" ? String(code) : message,
    code: severity === undefined ? undefined : code,
    cause: error
  })
}

const load = () =>
  import("pg").catch((error: NodeJS.ErrnoException) => {
    if (error.code !== "ERR_MODULE_NOT_FOUND") throw error
    throw new Error("a store in PostgreSQL needs the package pg: npm install pg", { cause: error })
  })

/** The URL as the driver is given it: TLS as libpq has it, and the settings that statements rely on. */
const connectionString = ({ schema, url }: Address): string => {
  const given = new URL(url)
  given.searchParams.set("uselibpqcompat", "true")
  const options = given.searchParams.get("options") ?? ""
  given.searchParams.set(
    "options",
    `${options} -c search_path=${schema} -c default_transaction_isolation=read\\ committed`.trim()
  )
  return given.href
}

/** Settles as `answer` does, or rejects when that takes too long. */
const within = <A>(answer: Promise<A>, milliseconds: number): Promise<A> => {
  let timer: NodeJS.Timeout | undefined
  const late = new Promise<never>((_, reject) => {
    timer = setTimeout(
      () =>
        reject(
          new DatabaseError({ message: `the server has not answered for ${milliseconds / 1000} s`, code: undefined })
        ),
      milliseconds
    )
  })
  return Promise.race([answer, late]).finally(() => clearTimeout(timer))
}

/** Milliseconds between two attempts to have a lost connection back. */
const listenAgainAfter = 200

/** Hears what is told in a channel, for as long as it is not stopped. The first connection is there afterwards. */
const listenOn = async (
  makeClient: () => Client,
  channel: string,
  heard: (payload: string) => void
): ReturnType<Database["listen"]> => {
  let stopped = false
  let client: Client
  const begin = async (): Promise<void> => {
    client = makeClient()
    client.on("error", () => void client.end().catch(() => {}))
    client.on("notification", ({ payload }) => heard(payload ?? ""))
    client.once("end", () => void keep())
    await client.connect()
    await client.query(`LISTEN ${channel}`)
  }
  const keep = async (): Promise<void> => {
    if (stopped) return
    await delay(listenAgainAfter, undefined, { ref: false })
    if (!stopped) await begin().catch(() => void client.end().catch(() => {}))
  }
  await begin()
  return {
    stop: async () => {
      stopped = true
      await client.end().catch(() => {})
    }
  }
}

/** Opens `most` connections with a database at the most, the first of them now. Rejects with a `DatabaseError`. */
export const connect = async (address: Address, most: number): Promise<Database> => {
  const { default: pg } = await load()
  const pool = new pg.Pool({
    connectionString: connectionString(address),
    fallback_application_name: "bickford",
    max: most,
    idleTimeoutMillis: 0,
    connectionTimeoutMillis: connectTimeout,
    keepAlive: true,
    allowExitOnIdle: true,
    // Statements that are given together go out together.
    pipeline: true
  })
  let statements = 0
  const unheard = (): void => {}
  // A connection that is lost while nobody uses it is replaced when somebody does.
  pool.on("error", unheard)
  pool.on("connect", (client) => client.on("error", unheard))

  const runOn = async (
    client: PoolClient,
    ...[{ name, text }, parameters]: Parameters<RunStatement>
  ): Promise<ReadonlyArray<Row>> => {
    statements++
    const query: QueryArrayConfig = { name, text, values: [...parameters], rowMode: "array" }
    return (await client.query<Array<unknown>>(query)).rows
  }

  /** Has `body` use a connection; one on which something failed that the server did not tell of is given up. */
  const using = async <A>(body: (client: PoolClient) => Promise<A>, milliseconds: number): Promise<A> => {
    try {
      const client = await pool.connect()
      try {
        const result = await within(body(client), milliseconds)
        client.release()
        return result
      } catch (error) {
        const { code } = asDatabaseError(error)
        client.release(code === undefined || code.startsWith("57P"))
        throw error
      }
    } catch (error) {
      throw asDatabaseError(error)
    }
  }

  const database: Database = {
    listen: (channel, heard) =>
      listenOn(
        () =>
          new pg.Client({
            connectionString: connectionString(address),
            fallback_application_name: "bickford",
            connectionTimeoutMillis: connectTimeout,
            keepAlive: true
          }),
        channel,
        heard
      ),
    pipeline: (requests) =>
      using(async (client) => {
        const answers = await Promise.allSettled(requests.map((request) => runOn(client, ...request)))
        return answers.map((answer) => {
          if (answer.status === "rejected") throw answer.reason
          return answer.value
        })
      }, answerTimeout),
    run: (statement, parameters) => using((client) => runOn(client, statement, parameters), answerTimeout),
    transaction: (body) =>
      using(async (client) => {
        await client.query("BEGIN")
        try {
          const result = await body(
            (statement, parameters) => runOn(client, statement, parameters),
            async (sql) => void (await client.query(sql))
          )
          await client.query("COMMIT")
          return result
        } catch (error) {
          await client.query("ROLLBACK").catch(unheard)
          throw error
        }
      }, 10 * answerTimeout),
    statements: () => statements,
    close: () => pool.end()
  }
  try {
    await using(async (client) => void (await client.query("SELECT 1")), answerTimeout)
  } catch (error) {
    await pool.end()
    throw error
  }
  return database
}
