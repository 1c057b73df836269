/**
 * A web service with a filesystem of its own: `node examples/service.ts MOUNTPOINT PORT`.
 * What is posted is a file under MOUNTPOINT, and what programs write there can be fetched.
 */
import { memory, mount } from "bickford"
import fastify from "fastify"
import { readFile, writeFile } from "node:fs/promises"
import { basename, join } from "node:path"

const [mountpoint = "mnt", port = "0"] = process.argv.slice(2)

const service = fastify()
const mounted = await mount(mountpoint, memory())
service.addHook("onClose", () => mounted[Symbol.asyncDispose]())
service.post<{ Params: { name: string } }>("/:name", ({ body, params }) => writeFile(join(mounted.mountpoint, basename(params.name)), String(body)))
service.get<{ Params: { name: string } }>("/:name", ({ params }) => readFile(join(mounted.mountpoint, basename(params.name)), "utf8"))

console.log(`listening on ${await service.listen({ host: "127.0.0.1", port: Number(port) })}`)
process.once("SIGTERM", () => void service.close())
console.log(`ended: ${(await mounted.ended).reason}`)
