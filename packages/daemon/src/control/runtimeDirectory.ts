/** Where the daemon has its control socket and its state. */
import { join } from "node:path"

/** The directory where a configuration names none: `/run/bickford`, or the user's own. */
export const defaultRuntimeDirectory = (): string => {
  const own = process.env["XDG_RUNTIME_DIR"]
  return own !== undefined && own !== "" && process.geteuid?.() !== 0 ? join(own, "bickford") : "/run/bickford"
}

export const socketIn = (runtimeDirectory: string): string => join(runtimeDirectory, "control.sock")
