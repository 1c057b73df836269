import { DatabaseSync } from "node:sqlite"
import { StoredBytes } from "../../src/sqlite/bytes.ts"
import { makeChunkStore } from "../../src/sqlite/chunkStore.ts"
import { makeCollector } from "../../src/sqlite/collector.ts"
import { migrate, migrations } from "../../src/sqlite/schema.ts"
import { makeTransaction } from "../../src/sqlite/transaction.ts"
import { testBytes } from "../posix/bytes.ts"

const db = new DatabaseSync(":memory:")
migrate(db, 0, migrations)
const transaction = makeTransaction(db)
const chunks = makeChunkStore(db, transaction, makeCollector(db, transaction))
let nextId = 1
const newId = (): number => nextId++

testBytes(
  () => new StoredBytes(chunks, newId(), 0, newId),
  () => undefined,
  150
)

let calls = 0
/** A commit at every third operation; what was kept in memory is read again from its row. */
const settle = (): void => {
  if (++calls % 3 !== 0) return
  chunks.flushAll()
  if (transaction.isOpen()) transaction.commit()
  chunks.clear()
}
testBytes(() => new StoredBytes(chunks, newId(), 0, newId), settle, 150)
