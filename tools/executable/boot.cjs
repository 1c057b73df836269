"use strict"
/**
 * The main script of the single executable, and of its threads: runs the program that lies beside it, compiled already.
 * Not the program itself, whose `import()` Node would not let load files.
 */
const { getAsset, getRawAsset } = require("node:sea")
const { constants, Script } = require("node:vm")

const program = new Script(getAsset("program.js", "utf8"), {
  filename: "bickford.js",
  cachedData: Buffer.from(getRawAsset("program.cache")),
  importModuleDynamically: constants.USE_MAIN_CONTEXT_DEFAULT_LOADER
})
program.runInThisContext()(require)
