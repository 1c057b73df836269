/** The files of a simulated shell, mounted: `npm run example -- justBash MOUNTPOINT`. Real programs work on them, and the shell goes on. */
import { fromJustBash } from "@bickford/faces"
import { mount } from "bickford"
import { Bash, InMemoryFs } from "just-bash"

const fs = new InMemoryFs()
const bash = new Bash({ fs, cwd: "/" })
await bash.exec("mkdir work; echo hello > work/hello.txt")
const mounted = await mount(process.argv[2] ?? "mnt", fromJustBash(fs, { root: "/work" }))
console.log(`serving ${mounted.mountpoint}`)
await mounted.ended
console.log((await bash.exec("ls work; cat work/*")).stdout)
