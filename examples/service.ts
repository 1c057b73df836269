/**
 * A web service with a filesystem of what it knows: `node examples/service.ts MOUNTPOINT PORT`.
 * The last path that was asked for over HTTP is in MOUNTPOINT/last.
 */
import { memory, mount } from "bickford"
import { writeFile } from "node:fs/promises"
import { createServer } from "node:http"
import { join } from "node:path"

const [mountpoint = "mnt", port = "0"] = process.argv.slice(2)

const stop = new AbortController()
await using mounted = await mount(mountpoint, memory(), { signal: stop.signal })
const server = createServer(async (request, response) => {
  await writeFile(join(mounted.mountpoint, "last"), `${request.url}\n`)
  response.end("written\n")
})
server.listen(Number(port), "127.0.0.1", () => console.log(`listening on ${JSON.stringify(server.address())}`))
process.once("SIGTERM", () => stop.abort())
console.log(`ended: ${(await mounted.ended).reason}`)
server.close()
