/** A store used by `node:fs` calls in this program and by others in a mount: `npm run example -- provider STORE MOUNTPOINT`. */
import { share, toVfs } from "@bickford/faces"
import { VirtualFileSystem, VirtualProvider } from "@platformatic/vfs"
import { mount, sqlite } from "bickford"

const [store = "store.db", mountpoint = "mnt"] = process.argv.slice(2)
await using shared = await share(sqlite(store))
const vfs = new VirtualFileSystem(toVfs(shared, VirtualProvider), { moduleHooks: false })
vfs.mount("/store")
vfs.writeFileSync("/store/hello.txt", "written at once\n")
const mounted = await mount(mountpoint, shared.backend)
console.log(`serving ${mounted.mountpoint}`)
await mounted.ended
console.log(vfs.readdirSync("/store").toSorted())
