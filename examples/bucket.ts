/** A bucket, mounted: `npm run example -- bucket BUCKET/PREFIX MOUNTPOINT`, with AWS_ACCESS_KEY_ID and its kin in the environment. */
import { s3 } from "@bickford/faces"
import { mount } from "bickford"

const [place = "bucket", mountpoint = "mnt"] = process.argv.slice(2)
const mounted = await mount(mountpoint, s3(place))
console.log(`serving ${mounted.mountpoint}`)
await mounted.ended
