/** Where the process that serves a mount without a daemon can be asked. */
import { join } from "node:path"
import { defaultRuntimeDirectory } from "../control/runtimeDirectory.ts"

/** `device` is `MAJOR:MINOR` of the mount, as /proc/self/mountinfo has it. */
export const directSocketOf = (device: string): string =>
  join(defaultRuntimeDirectory(), "direct", `${device.replace(":", "-")}.sock`)
