/**
 * `node remote.mjs KEY CERTIFICATE`: what docs/faces.md takes to be in the net: https://example.org/files/, with an index page and a
 * file. Says `ready`.
 */
import { readFileSync } from "node:fs"
import { createServer } from "node:https"

const [, , key, certificate] = process.argv
const files = { "/files/": '<a href="file.txt">file.txt</a>', "/files/file.txt": "text\n" }

createServer({ key: readFileSync(key), cert: readFileSync(certificate) }, ({ method, url }, response) => {
  const content = files[url]
  if (content === undefined) return response.writeHead(404).end()
  response.writeHead(200, {
    "content-type": url.endsWith("/") ? "text/html" : "text/plain",
    "content-length": content.length,
    etag: '"1"'
  })
  return response.end(method === "HEAD" ? "" : content)
}).listen(443, "127.0.0.1", () => console.log("ready"))
