/** The names in a directory, as a server's index page lists them: HTML of nginx, Apache and their like, or nginx's JSON. */
import * as Schema from "effect/Schema"
import * as Option from "effect/Option"

/** A name in an index. */
export interface IndexEntry {
  readonly name: string
  readonly directory: boolean
}

const jsonIndex = Schema.Array(Schema.Struct({ name: Schema.String, type: Schema.String }))

const entities: { readonly [name: string]: string } = {
  amp: "&",
  lt: "<",
  gt: ">",
  quot: '"',
  "#39": "'",
  "#x27": "'",
  apos: "'"
}

const unescaped = (text: string): string =>
  text.replaceAll(/&(#x27|#39|[a-z]+);/gi, (whole, name: string) => entities[name.toLowerCase()] ?? whole)

/** The name that a link leads to, where that lies right below `base`. */
const nameOf = (href: string, base: URL): IndexEntry | undefined => {
  if (!URL.canParse(href, base.href)) return undefined
  const { origin, pathname, search } = new URL(href, base)
  // Links with a query sort the page anew.
  if (origin !== base.origin || search !== "" || !pathname.startsWith(base.pathname)) return undefined
  const below = pathname.slice(base.pathname.length)
  const directory = below.endsWith("/")
  const encoded = directory ? below.slice(0, -1) : below
  if (encoded === "" || encoded.includes("/")) return undefined
  try {
    const name = decodeURIComponent(encoded)
    return name === "." || name === ".." || /[/\0]/.test(name) ? undefined : { name, directory }
  } catch {
    return undefined
  }
}

/** The entries of an index page at `base`, which ends with a slash. Undefined: the page is none. */
export const indexEntries = (text: string, type: string, base: URL): ReadonlyArray<IndexEntry> | undefined => {
  if (type.startsWith("application/json")) {
    const listed = Schema.decodeUnknownOption(Schema.fromJsonString(jsonIndex))(text)
    if (Option.isNone(listed)) return undefined
    return listed.value
      .filter(({ name }) => name !== "" && name !== "." && name !== ".." && !/[/\0]/.test(name))
      .map(({ name, type: kind }) => ({ name, directory: kind === "directory" }))
  }
  if (!type.startsWith("text/html")) return undefined
  const found = new Map<string, IndexEntry>()
  for (const [, quoted, single] of text.matchAll(/<a\s[^>]*?href\s*=\s*(?:"([^"]*)"|'([^']*)')/gi)) {
    const entry = nameOf(unescaped(quoted ?? single ?? ""), base)
    if (entry !== undefined) found.set(entry.name, entry)
  }
  return [...found.values()]
}
