/** `npm run test:commands -- [PAGE ...]`: builds what is missing, since a page cannot install anything where it is followed, and follows the pages. */
import { join } from "node:path"
import { become, bootstrap, root } from "./bootstrap.mjs"

bootstrap()
become([join(root, "test", "documents", "commands.ts"), ...process.argv.slice(2)])
