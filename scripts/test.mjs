/** `npm test -- [arguments of vitest run]`: builds what is missing and runs every test. */
import { join } from "node:path"
import { become, bootstrap, root } from "./bootstrap.mjs"

bootstrap()
process.chdir(root)
become([join(root, "node_modules", "vitest", "vitest.mjs"), "run", ...process.argv.slice(2)])
