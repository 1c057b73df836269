/** For `bickford mount module:`: an empty filesystem in memory of just-bash. */
import { fromJustBash } from "@bickford/faces"
import { InMemoryFs } from "just-bash"

export const backend = () => fromJustBash(new InMemoryFs(), { maxFileSize: 64 << 20 })
