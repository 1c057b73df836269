/** `npm run example NAME [arguments]`: one of examples/, from the sources. */
import { existsSync } from "node:fs"
import { join } from "node:path"
import { become, bootstrap, fail, root } from "./bootstrap.mjs"

const [name = "", ...rest] = process.argv.slice(2)
const program = join(root, "examples", `${name}.ts`)
if (name === "" || !existsSync(program)) fail(`There is no example "${name}": npm run example hello MOUNTPOINT`)
bootstrap()
// npm runs scripts in the package's folder; a relative path means the folder npm was called in.
process.chdir(process.env.INIT_CWD ?? process.cwd())
become([program, ...rest])
