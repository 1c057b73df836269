/** `module:PATH`, a person's own filesystem. */
import { loadBackend } from "@bickford/session"
import * as Effect from "effect/Effect"
import { resolve } from "node:path"
import { pathToFileURL } from "node:url"
import { commandError } from "../CommandError.ts"
import type { SourceKind } from "./SourceKind.ts"

const urlOf = (path: string): string => pathToFileURL(resolve(path)).href

export const moduleSource: SourceKind = {
  kind: "module",
  operand: "PATH",
  help: "the export `backend` of a module",
  needs: "the path of a module that exports a backend",
  exclusive: false,
  covered: undefined,
  options: [],
  refuses: {},
  load: (path) => import(urlOf(path)),
  open: (path) =>
    Effect.mapError(loadBackend(urlOf(path)), (error) => commandError(`module:${path}: ${error instanceof Error ? error.message : String(error)}`))
}
