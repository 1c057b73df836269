/** The page's files over HTTP. They tell nothing, so anybody may have them. */
import { pageFile, pageHeaders } from "@bickford/dashboard"
import type { Handler, Route } from "../control/httpServer.ts"

/** Who sends the file that a request names; undefined for what is no file of the page. */
export const pageHandler = ({ method, path }: Route): Handler | undefined => {
  if (method !== "GET") return undefined
  const [first = "", name = ""] = path
  const isPage = path.length === 1 && first === ""
  if (!isPage && !(path.length === 2 && first === "page" && name !== "")) return undefined
  const file = pageFile(isPage ? "" : name)
  if (file === undefined) return undefined
  return (_, response) => {
    response.writeHead(200, { ...pageHeaders, "content-type": file.type }).end(file.body)
  }
}
