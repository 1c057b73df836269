/** Removes the rows of contents that are gone, a piece at a time: a large file's would hold everybody up. */
import * as Effect from "effect/Effect"
import { type Database, type Statement, whole } from "./database.ts"

/** Chunks that are removed at a time: 32 MiB. */
const piece = 512
/** Milliseconds between two looks while there is nothing to remove. */
const lookEvery = 2000
/** Milliseconds between two pieces: others come in between. */
const breath = 20

const removePiece: Statement = {
  name: "sweep",
  text: `WITH d AS (SELECT data FROM dead ORDER BY data LIMIT 1),
    gone AS (DELETE FROM chunk USING d WHERE chunk.data = d.data
      AND chunk.position IN (SELECT c.position FROM chunk AS c, d WHERE c.data = d.data ORDER BY c.position LIMIT ${piece})
      RETURNING 1),
    swept AS (DELETE FROM dead USING d WHERE dead.data = d.data AND (SELECT count(*) FROM gone) < ${piece})
    SELECT count(*) FROM d`
}

/** Runs for ever. A server that is away is asked again at the next look. */
export const makeSweeper = (database: Database): Effect.Effect<never> =>
  Effect.tryPromise(() => database.run(removePiece, [])).pipe(
    Effect.map((rows) => whole(rows[0]?.[0]) > 0),
    Effect.catch(() => Effect.succeed(false)),
    Effect.flatMap((more) => Effect.sleep(more ? breath : lookEvery)),
    Effect.forever
  )
