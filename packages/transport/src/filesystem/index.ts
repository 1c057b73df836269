/** The machine's own files, by descriptor. */
import { addon } from "../native.ts"
import type { FilesystemCalls } from "./calls.ts"

export { attributeWords } from "../sharedWords.ts"
export type { FileName, FilesystemCalls, Wide } from "./calls.ts"

/** The system calls of this environment. (A copy: V8 keeps the addon's own properties in a dictionary, where each look costs as much as a small call.) */
export const files: FilesystemCalls = { ...addon }
