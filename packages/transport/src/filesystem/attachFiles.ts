/** How an isolate comes by its share of files that several of them know. */
import { addon } from "../native.ts"
import type { SharedFiles } from "./SharedFiles.ts"

/**
 * A share of the files of that number; without one, of new files, whose root is the file that was looked at last. -ENOENT when nobody
 * has a share of them any more.
 */
export const attachFiles = (number?: number): SharedFiles | number => {
  const share = addon.attach_files(number)
  // A copy: V8 keeps what the addon made in a dictionary.
  return typeof share === "number" ? share : { ...share }
}
