/** What must hold of a connection at every moment between two frames. */
import type { Connection } from "../connection/Connection.ts"

/** The invariants that are broken, in words; none of a right server. `owed`: the requests sent that have had no reply yet. */
export const brokenInvariants = (
  connection: Connection,
  owed?: ReadonlyArray<number | bigint>
): ReadonlyArray<string> => {
  const broken: Array<string> = []
  for (const table of ["nodes", "handles"] as const) {
    let size = 0
    for (const [nodeid, count] of connection[table].entries()) {
      size++
      if (!(Number.isSafeInteger(count) && count > 0)) broken.push(`${table}: the count of node ${nodeid} is ${count}`)
    }
    if (size !== connection[table].size)
      broken.push(`${table}: ${size} counts, but a size of ${connection[table].size}`)
  }
  for (const entry of connection.inFlight.values()) {
    if (connection.inFlight.get(entry.unique) !== entry)
      broken.push(`in flight: ${entry.unique} is not where it is looked for`)
    if (!entry.row.hasReply) broken.push(`in flight: ${entry.row.name} has no reply`)
    if (entry.answered && entry.stopped !== "deadline") broken.push(`in flight: ${entry.unique} was answered`)
    if (owed !== undefined && !entry.answered && !owed.includes(entry.unique))
      broken.push(`in flight: ${entry.unique} is not owed a reply`)
  }
  if (connection.dispatcher !== undefined && connection.parked.length > 0)
    broken.push(`${connection.parked.length} frames are parked though there is a dispatcher`)
  return broken
}
