/** The daemon: reading its configuration, and keeping the mounts that it names. */
export { readConfig } from "../config/readConfig.ts"
export { metricsText } from "../metrics/metricsText.ts"
export { runDaemon } from "./daemon.ts"
