/** Loads the addon from its file. The single executable, which has the addon inside it, has a module of its own in this one's place. */
import { createRequire } from "node:module"
import { addonFile } from "./addonFile.ts"

/** What the addon exports, for this thread. */
export const loadAddon = (): unknown => createRequire(import.meta.url)(addonFile())
