/** Memory as the system gives it: for content that is large, and for what must never be paged out. */
import { addon } from "./native.ts"

/**
 * Memory of its own pages, all zero, in huge ones where there are some (transparent_hugepage): 2 MiB and
 * multiples of it come out even. It is there when it is touched, and goes with the collector. Undefined when
 * the system has none.
 */
export const allocateMemory = (bytes: number): ArrayBuffer | undefined => {
  const memory = addon.allocate_memory(bytes)
  return typeof memory === "number" ? undefined : memory
}

/** Makes bytes zero; the pages that they fill go back to the system until they are touched again. */
export const discardMemory = (bytes: Uint8Array): void => addon.discard_memory(bytes)

/** Makes memory resident, and locks it if allowed: for bodies of replies, see DESIGN.md. */
export const lockMemory = (bytes: Uint8Array): void => void addon.lock_memory(bytes)
