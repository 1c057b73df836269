/** What can be served, as the first part of a source. */
export const sourceKinds = ["memory", "sqlite", "passthrough", "module"] as const

/** A source as it is named from anywhere: its path absolute. */
export const fromAnywhere = (source: string, resolve: (path: string) => string): string => {
  const kind = sourceKinds.find((known) => source.startsWith(`${known}:`))
  const path = kind === undefined ? "" : source.slice(kind.length + 1)
  return kind === undefined || path === "" ? source : `${kind}:${resolve(path)}`
}
