/** The machine's own files, by descriptor. */
import { addon } from "../native.ts"
import type { FilesystemCalls } from "./calls.ts"

export { attributeWords, type FileName, type FilesystemCalls, type Wide } from "./calls.ts"

/** The system calls of this environment. */
export const files: FilesystemCalls = addon
