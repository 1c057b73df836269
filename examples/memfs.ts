/** A filesystem that lives in this program, mounted: `npm run example -- memfs MOUNTPOINT`, and look at it with any other. */
import { fromFs } from "@bickford/faces"
import { mount } from "bickford"
import { Volume } from "memfs"

const volume = Volume.fromJSON({ "/hello.txt": "hello\n" })
const mounted = await mount(process.argv[2] ?? "mnt", fromFs(volume.promises))
console.log(`serving ${mounted.mountpoint}`)
const end = await mounted.ended
console.log(`ended: ${end.reason}`, volume.toJSON())
