/** For `bickford mount module:`: an empty memory provider of @platformatic/vfs. */
import { fromVfs } from "@bickford/faces"
import { MemoryProvider } from "@platformatic/vfs"

export const backend = () => fromVfs(new MemoryProvider(), { calls: "sync", maxFileSize: 64 << 20 })
