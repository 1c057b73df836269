/** What a person's module imports as `bickford`, wherever the module lies: the packages that run. */
import { registerHooks } from "node:module"

const isOwn = (specifier: string): boolean => /^(bickford|@bickford\/[^/]+)(\/|$)/.test(specifier)
const isEffect = (specifier: string): boolean => /^effect(\/|$)/.test(specifier)

let registered = false

/**
 * Has every later import of `bickford` and `@bickford/...` in this thread resolved from here: a second copy would
 * have its own addon and its own classes. `effect` is resolved so where the importer has none.
 */
export const lendOwnPackages = (): void => {
  if (registered) return
  registered = true
  registerHooks({
    resolve: (specifier, context, next) => {
      // What `import.meta.resolve` asks comes by here too. (`next` with another parent does nothing for `require`.)
      if (context.parentURL === import.meta.url) return next(specifier, context)
      const own = () => ({ url: import.meta.resolve(specifier), shortCircuit: true })
      if (isOwn(specifier)) return own()
      if (!isEffect(specifier)) return next(specifier, context)
      try {
        return next(specifier, context)
      } catch {
        return own()
      }
    }
  })
}
