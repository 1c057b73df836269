/** `--import` of the emulated Node: vitest is the file beside this one. */
import { registerHooks } from "node:module"

const vitest = new URL("vitest.mjs", import.meta.url).href

registerHooks({
  resolve: (specifier, context, next) =>
    specifier === "vitest" ? { url: vitest, shortCircuit: true } : next(specifier, context)
})
