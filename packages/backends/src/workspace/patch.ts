/**
 * What a branch has changed as a patch in git's form, which `git apply` and, for text, patch(1) take. Git knows of regular
 * files, symlinks and whether a file can be executed: the rest of a change is not in it.
 */
import type { Name } from "@bickford/protocol"
import type { StructuredPatchHunk } from "diff"
import { binaryPatch, blobName } from "./binaryPatch.ts"
import { type BranchPath, pathBytes, shownPath } from "./branchPath.ts"
import type { BranchView } from "./branchView.ts"
import { type FileVersion, fileVersions, type FileVersions } from "./fileVersions.ts"
import { isSymlinkMode } from "./fileTypes.ts"

/** How many lines of a file were changed. */
export interface FileStat {
  readonly path: Name
  /** Where a renamed file is in the base. */
  readonly from?: Name
  /** Lines; 0 of a binary file. */
  readonly insertions: number
  readonly deletions: number
  /** Bytes before and after, of a file that is not text. */
  readonly binary?: readonly [before: number, after: number]
}

/** Bytes that are looked through for a NUL, which text has none of, as git does. */
const lookedBytes = 8000
/** Text that is larger, or differs in more lines, is told of as binary content is. */
const textBytesMax = 4 * 1024 * 1024
const editsMax = 20_000

const empty = Buffer.alloc(0)

/** Both contents, and how their lines differ; no hunks where they are binary. */
interface Compared {
  readonly before: Buffer
  readonly after: Buffer
  readonly hunks: ReadonlyArray<StructuredPatchHunk> | undefined
}

type Differ = Pick<typeof import("diff"), "structuredPatch">

const isText = (content: Buffer): boolean =>
  content.length <= textBytesMax && !content.subarray(0, lookedBytes).includes(0)

const compare = ({ structuredPatch }: Differ, { after, before }: FileVersions): Compared => {
  const old = before?.content() ?? empty
  const now = after?.content() ?? empty
  if (old.equals(now)) return { before: old, after: now, hunks: [] }
  if (!isText(old) || !isText(now)) return { before: old, after: now, hunks: undefined }
  // A character for each byte, so that every text is itself again.
  const patch = structuredPatch("", "", old.toString("latin1"), now.toString("latin1"), undefined, undefined, {
    context: 3,
    maxEditLength: editsMax
  })
  return { before: old, after: now, hunks: patch?.hunks }
}

const gitMode = ({ mode }: FileVersion): string =>
  isSymlinkMode(mode) ? "120000" : (mode & 0o111) !== 0 ? "100755" : "100644"

const escapes: ReadonlyMap<number, string> = new Map([
  [7, "\\a"],
  [8, "\\b"],
  [9, "\\t"],
  [10, "\\n"],
  [11, "\\v"],
  [12, "\\f"],
  [13, "\\r"],
  [0x22, '\\"'],
  [0x5c, "\\\\"]
])

/** A path as git writes it: in quotes where it has bytes that are not plain. */
const quoted = (path: BranchPath): string => {
  const bytes = pathBytes(path)
  const isPlain = bytes.every((byte) => byte >= 0x20 && byte < 0x7f && byte !== 0x22 && byte !== 0x5c)
  if (isPlain) return path
  const text = Array.from(bytes, (byte) => {
    const escape = escapes.get(byte)
    if (escape !== undefined) return escape
    return byte >= 0x20 && byte < 0x7f ? String.fromCharCode(byte) : `\\${byte.toString(8).padStart(3, "0")}`
  })
  return `"${text.join("")}"`
}

/** A path that has a space is followed by a tab, so that its end can be told. */
const inHeader = (path: BranchPath): string => (path.includes(" ") ? `${quoted(path)}\t` : quoted(path))

const hunkText = ({ lines, newLines, newStart, oldLines, oldStart }: StructuredPatchHunk): string => {
  const at = (start: number, count: number): string =>
    `${count === 0 ? start - 1 : start}${count === 1 ? "" : `,${count}`}`
  return `@@ -${at(oldStart, oldLines)} +${at(newStart, newLines)} @@\n${lines.map((line) => `${line}\n`).join("")}`
}

const modeLines = ({ after, before }: FileVersions): string => {
  if (before === undefined) return after === undefined ? "" : `new file mode ${gitMode(after)}\n`
  if (after === undefined) return `deleted file mode ${gitMode(before)}\n`
  return gitMode(before) === gitMode(after) ? "" : `old mode ${gitMode(before)}\nnew mode ${gitMode(after)}\n`
}

const renameLines = ({ after, before }: FileVersions): string =>
  before === undefined || after === undefined || before.path === after.path
    ? ""
    : `rename from ${quoted(before.path)}\nrename to ${quoted(after.path)}\n`

const noBlob = "0".repeat(40)

const contentText = (versions: FileVersions, { after, before, hunks }: Compared): string => {
  const old = versions.before === undefined ? noBlob : blobName(before)
  const now = versions.after === undefined ? noBlob : blobName(after)
  if (old === now) return ""
  const index = `index ${old}..${now}\n`
  if (hunks === undefined) return index + binaryPatch(before, after)
  if (hunks.length === 0) return index
  const from = versions.before === undefined ? "/dev/null" : inHeader(`a/${versions.before.path}`)
  const to = versions.after === undefined ? "/dev/null" : inHeader(`b/${versions.after.path}`)
  return `${index}--- ${from}\n+++ ${to}\n${hunks.map(hunkText).join("")}`
}

/**
 * A change between a file and a symlink is two: git knows of none that does both. So is a symlink's move: of a rename git
 * does not learn that what stands in a directory's place now was a symlink, and refuses what lies in the directory.
 */
const split = (versions: FileVersions): ReadonlyArray<FileVersions> => {
  const { after, before } = versions
  if (before === undefined || after === undefined) return [versions]
  const isMoved = before.path !== after.path
  const isLink = isSymlinkMode(before.mode)
  if (isLink === isSymlinkMode(after.mode) && !(isLink && isMoved)) return [versions]
  return [
    { before, after: undefined },
    { before: undefined, after }
  ]
}

const filePatch = (differ: Differ, versions: FileVersions): Buffer => {
  const { after, before } = versions
  const from = before?.path ?? after?.path ?? ""
  const to = after?.path ?? from
  const told = modeLines(versions) + renameLines(versions) + contentText(versions, compare(differ, versions))
  if (told === "") return empty
  return Buffer.from(`diff --git ${quoted(`a/${from}`)} ${quoted(`b/${to}`)}\n${told}`, "latin1")
}

/**
 * The patch of each file that git would tell of, removals first: git applies one after the other, and takes a removal that
 * follows what was made at the same path for that of the new file. Where a change is told as two, new files come last: git
 * knows only of a rename that its old and its new name may be others' as well.
 */
export function* filePatches(view: BranchView, differ: Differ): Generator<Buffer> {
  const changes = [...fileVersions(view)]
  const parts = changes.flatMap(split)
  const newTurn = parts.length > changes.length ? 2 : 1
  const turnOf = ({ after, before }: FileVersions): number =>
    after === undefined ? 0 : before === undefined ? newTurn : 1
  parts.sort((one, other) => turnOf(one) - turnOf(other))
  for (const part of parts) {
    const text = filePatch(differ, part)
    if (text.length > 0) yield text
  }
}

const countOf = (hunks: ReadonlyArray<StructuredPatchHunk>, sign: "+" | "-"): number =>
  hunks.reduce((count, { lines }) => count + lines.filter((line) => line.startsWith(sign)).length, 0)

/** How much of each file was changed. */
export function* fileStats(view: BranchView, differ: Differ): Generator<FileStat> {
  for (const versions of fileVersions(view)) {
    const { after, before } = versions
    const compared = compare(differ, versions)
    const path = after?.path ?? before?.path ?? ""
    const isRename = before !== undefined && before.path !== path
    const { hunks } = compared
    const isSameMode = before !== undefined && after !== undefined && gitMode(before) === gitMode(after)
    if (hunks?.length === 0 && isSameMode && !isRename) continue
    yield {
      path: shownPath(path),
      ...(isRename ? { from: shownPath(before.path) } : {}),
      insertions: hunks === undefined ? 0 : countOf(hunks, "+"),
      deletions: hunks === undefined ? 0 : countOf(hunks, "-"),
      ...(hunks === undefined ? { binary: [compared.before.length, compared.after.length] as const } : {})
    }
  }
}
