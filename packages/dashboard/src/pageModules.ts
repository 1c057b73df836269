/**
 * The text of the browser's modules: in a checkout its TypeScript sources with the types taken out, in what is installed
 * the compiled files. The single executable has a module of its own in this one's place.
 */
import { readFileSync } from "node:fs"
import { stripTypeScriptTypes } from "node:module"

/** What the modules' names end in, here and in their imports. */
export const ending = import.meta.url.endsWith(".ts") ? "ts" : "js"

/** The module of a name that is in the list of them. */
export const moduleText = (name: string): string => {
  const text = readFileSync(new URL(`page/${name}.${ending}`, import.meta.url), "utf8")
  return ending === "ts" ? stripTypeScriptTypes(text) : text
}
