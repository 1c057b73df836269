/**
 * `npm run coverage -- [arguments of vitest run]`: runs the tests, prints what they reached of the sources, servers and
 * workers that they started included, and writes coverage/index.html.
 */
import { join } from "node:path"
import { become, bootstrap, root } from "./bootstrap.mjs"

bootstrap()
process.chdir(root)
become([
  join(root, "node_modules", "c8", "bin", "c8.js"),
  process.execPath,
  join("scripts", "test.mjs"),
  ...process.argv.slice(2)
])
