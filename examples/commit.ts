/** A commit of a repository, mounted: `npm run example -- commit REPOSITORY REVISION MOUNTPOINT`. Nothing is checked out. */
import { git } from "@bickford/faces"
import { mount } from "bickford"

const [repository = ".", revision = "HEAD", mountpoint = "mnt"] = process.argv.slice(2)
const mounted = await mount(mountpoint, git(repository, { revision }))
console.log(`serving ${mounted.mountpoint}`)
await mounted.ended
