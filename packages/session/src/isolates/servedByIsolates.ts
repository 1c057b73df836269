/** Marks backends that several isolates may serve. */
import type { RequestAnswerer } from "@bickford/transport"
import type { AsyncBackend, SharedBackend } from "../Backend.ts"

/**
 * Marks a backend as one that other isolates can serve too, each by what the export `backend` of `shared.module` makes of `shared.data`.
 * Changes `backend` itself and returns it.
 *
 * The mark is a property that is not enumerable: a copy (`{ ...backend, lookup }`) is another backend, which the isolates would serve
 * without its `lookup`, so it has the mark only when it is marked itself.
 */
export const servedByIsolates = <B extends AsyncBackend>(
  backend: B,
  shared: SharedBackend
): B & { readonly shared: SharedBackend } =>
  // The type of what `defineProperty` returns does not tell of the property.
  Object.defineProperty(backend, "shared", { value: shared, enumerable: false, configurable: true }) as B & {
    readonly shared: SharedBackend
  }

/**
 * Marks a backend, for one of several isolates, as one of which `answerer` answers some requests. Changes `backend` itself and returns it.
 * As with `servedByIsolates`, a copy of it has no mark, and is called for everything.
 */
export const answeredBy = <B extends AsyncBackend>(backend: B, answerer: RequestAnswerer): B =>
  Object.defineProperty(backend, "answerer", { value: answerer, enumerable: false, configurable: true })

/** What is wrong with how a backend came by its `shared`, in a sentence; undefined when nothing is. */
export const copiedMark = (backend: object): string | undefined => {
  const own = Object.getOwnPropertyDescriptor(backend, "shared")
  if (own === undefined || own.value === undefined || own.enumerable !== true) return undefined
  return (
    "the backend's shared was written or copied, and isolates would serve what it was before it was changed; " +
    "give it by servedByIsolates(backend, { module, data }), or leave it out"
  )
}
