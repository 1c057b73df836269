/** What an operation threw, for one line of a log: a stack, as logfmt has it, is one long line that nobody reads. */
import * as Cause from "effect/Cause"
import { dirname } from "node:path"
import { fileURLToPath } from "node:url"

/** The file, line and column of the first frame of a stack that lies in a file. */
const placeIn = (stack: string): { readonly file: string; readonly at: string } | undefined => {
  const [, url, at] = /^ +at .*?((?:file:\/\/)?\/[^\s()]+):(\d+:\d+)\)?$/m.exec(stack) ?? []
  if (url === undefined || at === undefined) return undefined
  return { file: url.startsWith("file://") ? fileURLToPath(url) : url, at }
}

/** The directory that holds this package and those beside it; undefined in a program that is one file. */
const ownPackages = (): string | undefined => {
  const here = placeIn(new Error("here").stack ?? "")
  return here && dirname(dirname(dirname(dirname(here.file))))
}

/** `ReferenceError: it is not defined, at /path/module.ts:3:7`; without the place where that is in these packages. */
export const thrown = (cause: Cause.Cause<unknown>): string => {
  const error = Cause.squash(cause)
  if (!(error instanceof Error)) return String(error)
  const what = `${error.name}: ${error.message}`
  const place = placeIn(error.stack ?? "")
  const own = ownPackages()
  if (place === undefined || (own !== undefined && place.file.startsWith(`${own}/`))) return what
  return `${what}, at ${place.file}:${place.at}`
}
