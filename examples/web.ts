/** The files of a web server, mounted: `npm run example -- web URL MOUNTPOINT`. Ctrl-C ends a program that waits for the server. */
import { http } from "@bickford/faces"
import { mount } from "bickford"

const [url = "http://localhost:8000/", mountpoint = "mnt"] = process.argv.slice(2)
const mounted = await mount(mountpoint, http(url, { cacheSize: 64 << 20, stallTimeout: 10 }))
console.log(`serving ${mounted.mountpoint}`)
await mounted.ended
