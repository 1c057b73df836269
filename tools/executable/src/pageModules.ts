/** In place of the dashboard's, which reads files: the browser's modules are in this program, as text. */
import { pageTexts } from "./pageTexts.js"

/** What the modules' names end in: they are the sources without their types. */
export const ending = "ts"

/** The module of a name that is in the list of them. */
export const moduleText = (name: string): string => pageTexts[name] ?? ""
