"use strict"
/**
 * `node writeCache.cjs PROGRAM CACHE`: runs the program as far as a start goes, and writes what V8 compiled for it. A cache that
 * is made before a program runs would hold none of its functions.
 */
const { readFileSync, writeFileSync } = require("node:fs")
const { constants, Script } = require("node:vm")

const [, , source, cache] = process.argv
process.argv.splice(2, 2, "mount", "--help")
const program = new Script(readFileSync(source, "utf8"), {
  filename: "bickford.js",
  importModuleDynamically: constants.USE_MAIN_CONTEXT_DEFAULT_LOADER
})
const { modules } = program.runInThisContext()(require)
for (const load of Object.values(modules)) load()
process.once("exit", () => writeFileSync(cache, program.createCachedData()))
