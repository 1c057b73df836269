/** For mounts in worker threads: a filesystem in memory. */
import { memory } from "@bickford/backends"

export const backend = () => memory()
