/** Lengths of time in a configuration: a number of seconds, or text as "30s". */

const units: { readonly [unit: string]: number } = { ms: 1, s: 1000, m: 60_000, h: 3_600_000 }

/** Milliseconds; undefined for what is no length of time. */
export const parseDuration = (value: unknown): number | undefined => {
  if (typeof value === "number") return Number.isFinite(value) && value >= 0 ? value * 1000 : undefined
  const [, digits, unit = "s"] =
    typeof value === "string" ? (/^(\d{1,9}(?:\.\d{1,3})?) ?(ms|s|m|h)$/.exec(value) ?? []) : []
  return digits === undefined ? undefined : Number(digits) * (units[unit] ?? 1)
}
