/** A virtual filesystem of this program, mounted: `npm run example -- vfs MOUNTPOINT`. Node 26 has the same as `node:vfs`. */
import { fromVfs } from "@bickford/faces"
import { create, MemoryProvider } from "@platformatic/vfs"
import { mount } from "bickford"

const provider = new MemoryProvider()
const vfs = create(provider)
vfs.writeFileSync("/hello.txt", "hello\n")
const mounted = await mount(process.argv[2] ?? "mnt", fromVfs(provider, { calls: "sync" }))
console.log(`serving ${mounted.mountpoint}`)
await mounted.ended
console.log(vfs.readdirSync("/"))
