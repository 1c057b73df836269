/**
 * Branches of a directory as tools of the Model Context Protocol: whoever works with it may try anything, and only `commit` changes
 * the directory. A client starts it as `npm run example mcp DIRECTORY`, and speaks to it on stdin and stdout.
 */
import { McpServer } from "@modelcontextprotocol/sdk/server/mcp.js"
import { StdioServerTransport } from "@modelcontextprotocol/sdk/server/stdio.js"
import { openWorkspace } from "bickford"
import { z } from "zod"

const workspace = await openWorkspace(process.argv[2] ?? ".")
const server = new McpServer({ name: "bickford-branches", version: "1.0.0" })
const branch = z.string().describe("The branch; it is made when it is first named")
const text = z.string().optional()
const answer = (text: string) => ({ content: [{ type: "text" as const, text }] })
const json = (value: unknown) => JSON.stringify(value, undefined, 1)

server.registerTool(
  "run",
  { description: "Runs a shell command on the branch", inputSchema: { branch, command: z.string(), input: text } },
  async ({ branch: name, command, input = "" }, { signal }) =>
    answer(json(await workspace.branch(name).run("sh", ["-c", command], { input, net: "none", signal })))
)
server.registerTool(
  "diff",
  { description: "What the branch has changed, as a patch", inputSchema: { branch } },
  async ({ branch: name }) => answer(Buffer.from(await workspace.branch(name).patch()).toString())
)
server.registerTool(
  "audit",
  { description: "Which programs have changed what, or a path, on the branch", inputSchema: { branch, path: text } },
  async ({ branch: name, path }) => answer(json(await workspace.branch(name).audit(path === undefined ? {} : { path })))
)
server.registerTool(
  "checkpoint",
  { description: "Keeps what the branch holds now under a name", inputSchema: { branch, checkpoint: z.string() } },
  async ({ branch: name, checkpoint: at }) => answer((await workspace.branch(name).checkpoint(at), `kept as ${at}`))
)
server.registerTool(
  "reset",
  { description: "Sets it back to a checkpoint, or to the directory", inputSchema: { branch, checkpoint: text } },
  async ({ branch: name, checkpoint: at }) => answer((await workspace.branch(name).reset(at), "it was reset"))
)
server.registerTool(
  "fork",
  { description: "Makes a branch that holds what another holds", inputSchema: { branch, as: z.string() } },
  async ({ as, branch: name }) => answer(`forked to ${(await workspace.branch(name).fork(as)).name}`)
)
server.registerTool(
  "commit",
  { description: "Brings the branch's changes into the directory, all or none", inputSchema: { branch } },
  async ({ branch: name }) => answer(`${(await workspace.branch(name).commit()).length} changes were brought in`)
)
server.registerTool(
  "discard",
  { description: "Throws the branch away", inputSchema: { branch } },
  async ({ branch: name }) => answer((await workspace.branch(name).delete(), "it is gone"))
)
await server.connect(new StdioServerTransport())
