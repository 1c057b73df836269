/** A tree as one JSON file tells it: paths, sizes, times. */
import * as Schema from "effect/Schema"

const manifestSchema = Schema.Struct({
  files: Schema.Array(
    Schema.Struct({
      /** Relative to the manifest's own URL, and so where it is fetched. */
      path: Schema.String,
      size: Schema.optionalKey(Schema.Number),
      /** Seconds since the epoch, or a date as text. */
      mtime: Schema.optionalKey(Schema.Union([Schema.Number, Schema.String])),
      mode: Schema.optionalKey(Schema.Number)
    })
  )
})

/** A file of a manifest. */
interface ManifestFile {
  readonly path: string
  readonly mtime: number | undefined
  readonly mode: number | undefined
}

/** The tree that a manifest tells of. */
export interface Manifest {
  /** By path within the mount, beginning with a slash. */
  readonly files: ReadonlyMap<string, ManifestFile>
  /** The names in each directory. */
  readonly directories: ReadonlyMap<string, ReadonlySet<string>>
}

const seconds = (time: number | string | undefined): number | undefined => {
  if (typeof time !== "string") return time
  const parsed = Date.parse(time)
  return Number.isNaN(parsed) ? undefined : parsed / 1000
}

/** Reads a manifest: `{ "files": [{ "path": "a/b", "size": 1, "mtime": "2026-01-01T00:00:00Z" }] }`. Throws what is wrong with it. */
export const readManifest = (text: string): Manifest => {
  const { files } = Schema.decodeUnknownSync(Schema.fromJsonString(manifestSchema))(text)
  const byPath = new Map<string, ManifestFile>()
  const directories = new Map<string, Set<string>>([["", new Set()]])
  for (const { mode, mtime, path } of files) {
    const names = path.split("/")
    if (names.some((name) => name === "" || name === "." || name === ".." || name.includes("\0")))
      throw new Error(`the path ${JSON.stringify(path)} cannot be`)
    for (const [index, name] of names.entries()) {
      const above = names
        .slice(0, index)
        .map((part) => `/${part}`)
        .join("")
      const listed = directories.get(above) ?? new Set<string>()
      directories.set(above, listed.add(name))
    }
    byPath.set(`/${path}`, { path, mtime: seconds(mtime), mode })
  }
  return { files: byPath, directories }
}
