/**
 * A web service with a filesystem of its own: `npm run example service MOUNTPOINT PORT`.
 * What is posted is a file under MOUNTPOINT, and what programs write there can be fetched.
 */
import { memory, mount } from "bickford"
import fastify from "fastify"
import { readFile, writeFile } from "node:fs/promises"
import { basename, join } from "node:path"

const [mountpoint = "mnt", port = "0"] = process.argv.slice(2)

const mounted = await mount(mountpoint, memory())
const place = ({ name }: { readonly name: string }): string => join(mounted.mountpoint, basename(name))
const isMissing = (error: unknown): boolean => error instanceof Error && "code" in error && error.code === "ENOENT"

const service = fastify()
service.addHook("onClose", () => mounted[Symbol.asyncDispose]())
service.addContentTypeParser("*", { parseAs: "buffer" }, (_request, body, done) => done(null, body))
service.post<{ Body: Buffer | string | undefined; Params: { name: string } }>(
  "/:name",
  async ({ body, params }, reply) => {
    await writeFile(place(params), body ?? "")
    return reply.code(204).send()
  }
)
service.get<{ Params: { name: string } }>("/:name", async ({ params }, reply) => {
  try {
    return await readFile(place(params))
  } catch (error) {
    if (isMissing(error)) return reply.code(404).send(`there is no ${params.name}\n`)
    throw error
  }
})

for (const signal of ["SIGINT", "SIGTERM"] as const) process.once(signal, () => void service.close())
const address = await service.listen({ host: "127.0.0.1", port: Number(port) })
console.log(`serving ${mounted.mountpoint}; listening on ${address}`)
console.log(`curl --data-binary 'some text' ${address}/note; curl ${address}/note`)
console.log(`ended: ${(await mounted.ended).reason}`)
