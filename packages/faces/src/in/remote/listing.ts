/** The answers of S3 that are XML: few elements, whose text never holds others. */

const entities: { readonly [name: string]: string } = { amp: "&", lt: "<", gt: ">", quot: '"', apos: "'" }

const unescaped = (text: string): string =>
  text
    .replaceAll(/&#(x[0-9a-f]+|\d+);/gi, (_whole, code: string) =>
      String.fromCodePoint(code.startsWith("x") ? Number.parseInt(code.slice(1), 16) : Number(code))
    )
    .replaceAll(/&([a-z]+);/g, (whole, name: string) => entities[name] ?? whole)

/** What each element of a name holds, as it stands. */
const elements = (xml: string, name: string): ReadonlyArray<string> =>
  Array.from(xml.matchAll(new RegExp(`<${name}(?:\\s[^>]*)?>([\\s\\S]*?)</${name}>`, "g")), ([, inner]) => inner ?? "")

/** The text of the first element of a name. */
export const textIn = (xml: string, name: string): string | undefined => {
  const [inner] = elements(xml, name)
  return inner === undefined ? undefined : unescaped(inner)
}

/** An object of a bucket. */
interface ListedObject {
  readonly key: string
  readonly size: number
  /** Seconds since the epoch. */
  readonly mtime: number
  readonly etag: string
}

/** One answer to ListObjectsV2 with keys encoded as in URLs. */
export interface ListedPage {
  readonly objects: ReadonlyArray<ListedObject>
  /** Beginnings of keys, up to and with the delimiter. */
  readonly prefixes: ReadonlyArray<string>
  /** Where to go on; undefined at the end. */
  readonly next: string | undefined
}

const keyIn = (xml: string, name: string): string =>
  decodeURIComponent((textIn(xml, name) ?? "").replaceAll("+", "%20"))

/** Reads an answer to ListObjectsV2. Throws for what is none. */
export const readListing = (xml: string): ListedPage => {
  if (!xml.includes("<ListBucketResult")) throw new Error("the server's answer is not a listing")
  const objects = elements(xml, "Contents").map((inner) => ({
    key: keyIn(inner, "Key"),
    size: Number(textIn(inner, "Size")),
    mtime: Date.parse(textIn(inner, "LastModified") ?? "") / 1000,
    etag: textIn(inner, "ETag") ?? ""
  }))
  const prefixes = elements(xml, "CommonPrefixes").map((inner) => keyIn(inner, "Prefix"))
  const truncated = textIn(xml, "IsTruncated") === "true"
  return { objects, prefixes, next: truncated ? textIn(xml, "NextContinuationToken") : undefined }
}
