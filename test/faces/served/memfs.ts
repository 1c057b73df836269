/** For `bickford mount module:`: an empty memfs. */
import { fromFs } from "@bickford/faces"
import { Volume } from "memfs"

export const backend = () => fromFs(Volume.fromJSON({}, "/").promises, { maxFileSize: 64 << 20 })
