/** Tables in the terminal. */

/** Rows as lines, columns aligned: those in `toTheRight` to the right, as numbers are read. */
export const aligned = (
  rows: ReadonlyArray<ReadonlyArray<string>>,
  toTheRight: (column: number) => boolean = () => false
): ReadonlyArray<string> => {
  const widths = (rows[0] ?? []).map((_, column) => Math.max(...rows.map((row) => row[column]?.length ?? 0)))
  return rows.map((row) =>
    row
      .map((cell, column) => {
        const width = widths[column] ?? 0
        return toTheRight(column) ? cell.padStart(width) : cell.padEnd(width)
      })
      .join("  ")
      .trimEnd()
  )
}
