/** A zip or tar archive, mounted: `npm run example -- archive ARCHIVE MOUNTPOINT`. */
import { tar, zip } from "@bickford/faces"
import { mount } from "bickford"

const [archive = "archive.zip", mountpoint = "mnt"] = process.argv.slice(2)
const mounted = await mount(mountpoint, archive.endsWith(".zip") ? zip(archive) : tar(archive))
console.log(`serving ${mounted.mountpoint}`)
await mounted.ended
