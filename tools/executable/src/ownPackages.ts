/** In place of the daemon's: what a person's module imports as `bickford` is in this program, and nowhere in a file. */
import { registerHooks } from "node:module"
import { ownDirectory } from "./ownProgram.ts"
import { modules } from "./modules.js"

/** By this symbol the modules that stand for those of the program find them. */
const shared = Symbol.for("bickford.modules")

const prefix = `file://${ownDirectory}/`
const suffix = "/index.mjs"
const urlOf = (specifier: string): string => `${prefix}${specifier}${suffix}`
const specifierOf = (url: string): string => url.slice(prefix.length, -suffix.length)

/** A module that exports again what a module of this program does. */
const standIn = (specifier: string): string => {
  const names = Object.keys(modules[specifier]?.() ?? {})
  const constants = names.map((name, i) => `const v${i} = own[${JSON.stringify(name)}]\n`)
  const exported = names.map((name, i) => `v${i} as ${JSON.stringify(name)}`)
  return (
    `const own = globalThis[Symbol.for("bickford.modules")][${JSON.stringify(specifier)}]()\n` +
    `${constants.join("")}export { ${exported.join(", ")} }\n`
  )
}

let registered = false

/**
 * Has every later import of `bickford` and `@bickford/...` in this thread resolved to this program; `effect`, too, where the
 * importer has none.
 */
export const lendOwnPackages = (): void => {
  if (registered) return
  registered = true
  Object.defineProperty(globalThis, shared, { value: modules })
  registerHooks({
    resolve: (specifier, context, next) => {
      const own = { url: urlOf(specifier), format: "module", shortCircuit: true } as const
      if (!Object.hasOwn(modules, specifier)) return next(specifier, context)
      if (!/^effect(\/|$)/.test(specifier)) return own
      try {
        return next(specifier, context)
      } catch {
        return own
      }
    },
    load: (url, context, next) =>
      url.startsWith(prefix)
        ? { format: "module", shortCircuit: true, source: standIn(specifierOf(url)) }
        : next(url, context)
  })
}
