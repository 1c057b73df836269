/** The version that package.json tells. The single executable has a module of its own in this one's place. */
import { readFileSync } from "node:fs"

interface Manifest {
  readonly version: string
}

const manifest = (): Manifest => JSON.parse(readFileSync(new URL("../package.json", import.meta.url), "utf8"))

/** The version of this package. */
export const readVersion = (): string => manifest().version
