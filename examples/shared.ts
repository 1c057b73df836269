/** One filesystem, mounted and used by its program: `npm run example -- shared MOUNTPOINT`, and change `/notes.txt` there. */
import { share, toFs, toJustBash } from "@bickford/faces"
import { memory, mount } from "bickford"
import { Bash } from "just-bash"

await using shared = await share(memory())
const fs = toFs(shared)
await fs.writeFile("/notes.txt", "written without a mount\n")
const mounted = await mount(process.argv[2] ?? "mnt", shared.backend)
console.log(`serving ${mounted.mountpoint}`)
const bash = new Bash({ fs: toJustBash(shared) })
const { stdout } = await bash.exec("tr a-z A-Z < /notes.txt | tee /loud.txt")
console.log(stdout.trimEnd())
const end = await mounted.ended
console.log(`ended: ${end.reason}`, await fs.readdir("/"))
