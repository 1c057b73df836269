/** In place of the command's: the manifest is in this program. */
import manifest from "../../../packages/bickford/package.json" with { type: "json" }

/** The version of `bickford`. */
export const readVersion = (): string => manifest.version
