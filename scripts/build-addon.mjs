/** `npm run build:addon`: compiles the whole addon anew, warnings being errors (native/binding.gyp). */
import { buildAddon } from "./bootstrap.mjs"

buildAddon({ force: true })
