/** What a table of backends can. */
import { type BackendCapabilities, operationNames } from "@bickford/protocol"
import { type Backend, interruptibility } from "@bickford/session"

/**
 * How a table has a capability: when all of its backends have it, when one has it, unless all have turned it off,
 * or never, as the table's own folders or its answers in a backend's place do not have it.
 */
type Rule = "all" | "any" | "unless all refuse" | "never"

const rules: { readonly [Name in keyof Required<BackendCapabilities>]: Rule } = {
  autoInvalData: "unless all refuse",
  explicitInvalData: "all",
  asyncDio: "unless all refuse",
  posixLocks: "all",
  flock: "all",
  atomicOTrunc: "all",
  // The table's own folders have no `.` and `..` to be looked up.
  exportSupport: "never",
  handleKillpriv: "all",
  handleKillprivV2: "all",
  directIoAllowMmap: "all",
  dontMask: "all",
  writebackCache: "all",
  cacheSymlinks: "all",
  // Opening is answered in the place of a backend that lacks it.
  noOpen: "never",
  noOpendir: "never",
  // Only a backend that has it registers files.
  passthrough: "any",
  createSuppGroup: "all",
  allowIdmap: "all",
  // What a backend answers in memory is sent as ever.
  spliceWrite: "any",
  spliceMove: "all",
  // Data goes to the table's backends by way of memory: it has no `writeBuf`.
  spliceRead: "never",
  posixAcl: "all"
}

const names = Object.keys(rules) as ReadonlyArray<keyof BackendCapabilities>

/** What a table of `backends` can do. */
export const capabilitiesOf = (backends: ReadonlyArray<Backend>): BackendCapabilities => {
  const has = (name: keyof BackendCapabilities): boolean => {
    const told = backends.map(({ capabilities }) => capabilities?.[name])
    switch (rules[name]) {
      case "all":
        return told.every((value) => value === true)
      case "any":
        return told.includes(true)
      case "unless all refuse":
        return told.some((value) => value !== false)
      case "never":
        return false
    }
  }
  return Object.fromEntries(names.map((name) => [name, has(name)]))
}

/** From what stops the least to what stops the most. */
const order = ["never", "fatal", "signal"] as const

/** What may stop each operation, whichever backend it goes to. */
export const interruptibleOf = (backends: ReadonlyArray<Backend>): NonNullable<Backend["interruptible"]> =>
  Object.fromEntries(
    operationNames.map((op) => [
      op,
      order.find((one) => backends.some((backend) => interruptibility(backend, op) === one)) ?? "never"
    ])
  )
