/** What is known of a store: how large it is, and what it holds. */
import * as Effect from "effect/Effect"
import { statSync } from "node:fs"
import { resolve } from "node:path"
import type { DatabaseSync } from "node:sqlite"
import { type SqliteStoreError, StoreBusyError } from "./errors.ts"
import { single } from "./open.ts"
import { prepareQuery } from "./query.ts"
import { readStore } from "./readStore.ts"
import { readCounts } from "./server.ts"

/** What a store holds; known only while nobody serves it. Sizes are bytes. */
export interface StoreContent {
  readonly storeVersion: number
  readonly inodes: number
  /** Of file data, in whole blocks of 4096. */
  readonly bytes: number
  /** Files with no name, which the next mount removes. */
  readonly orphans: number
  /** Contents of files that are gone, still to be removed. */
  readonly deadContents: number
  /** In the store's file, for what comes next. */
  readonly freeBytes: number
}

/** What `describeStore` found. Sizes are bytes. */
export interface StoreInfo {
  readonly path: string
  /** Of the store's file. */
  readonly fileBytes: number
  /** Of its write-ahead log. */
  readonly logBytes: number
  /** Undefined while the store is served. */
  readonly content?: StoreContent
}

const numberOf = (value: unknown): number => (typeof value === "number" ? value : Number(value ?? 0))

const contentOf = (db: DatabaseSync): StoreContent => {
  const { blocks = 0, inodes = 0 } = readCounts(db) ?? {}
  const count = (sql: string): number => prepareQuery<[number]>(db, sql).get()?.[0] ?? 0
  return {
    storeVersion: numberOf(single(db, "user_version")),
    inodes,
    bytes: blocks * 4096,
    orphans: count("SELECT count(*) FROM inode WHERE nlink = 0"),
    deadContents: count("SELECT count(*) FROM dead"),
    freeBytes: numberOf(single(db, "freelist_count")) * numberOf(single(db, "page_size"))
  }
}

const sizeOf = (path: string): number => statSync(path, { throwIfNoEntry: false })?.size ?? 0

/** Describes the store at a path, served or not. Only reads: nothing is changed, made or removed. */
export const describeStore = (given: string): Effect.Effect<StoreInfo, SqliteStoreError> => {
  const path = resolve(given)
  const sizes = (): StoreInfo => ({ path, fileBytes: sizeOf(path), logBytes: sizeOf(`${path}-wal`) })
  return readStore(path, (db) => ({ ...sizes(), content: contentOf(db) })).pipe(
    Effect.catch((error) => (error instanceof StoreBusyError ? Effect.sync(sizes) : Effect.fail(error)))
  )
}
