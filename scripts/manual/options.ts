/** The options of `-o`, for their manual page. */
import { helpOf as helpOfRow } from "../../packages/daemon/src/options/mountOptions.ts"
import { optionTable, type Row } from "../../packages/daemon/src/options/table.ts"

const rows: ReadonlyMap<string, Row> = new Map(
  Object.entries(optionTable).filter(([, row]) => row.takes !== "refused" && row.by !== "nobody")
)

/** The options that have an effect. */
export const namesOf = (): ReadonlyArray<string> => [...rows.keys()]

/** What one does. */
export const helpOf = (name: string): string => {
  const row = rows.get(name)
  return row === undefined ? "" : helpOfRow(name, row)
}
