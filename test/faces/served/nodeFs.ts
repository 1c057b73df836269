/** For `bickford mount module:`: a directory of the machine's own, by `node:fs/promises`. `FACES_ROOT` names it. */
import { fromFs } from "@bickford/faces"
import * as fs from "node:fs/promises"

export const backend = () => fromFs(fs, { root: process.env["FACES_ROOT"] ?? "/nonexistent" })
