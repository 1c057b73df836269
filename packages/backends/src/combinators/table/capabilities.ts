/** What a table of backends can. */
import type { BackendCapabilities } from "@bickford/protocol"
import type { Backend } from "@bickford/session"

/** What every one of them can; what one of them needs, all have. */
export const capabilitiesOf = (backends: ReadonlyArray<Backend>): BackendCapabilities => {
  const all = (name: keyof BackendCapabilities): boolean => backends.every(({ capabilities }) => capabilities?.[name] === true)
  return {
    asyncDio: backends.some(({ capabilities }) => capabilities?.asyncDio !== false),
    autoInvalData: backends.some(({ capabilities }) => capabilities?.autoInvalData !== false),
    posixLocks: all("posixLocks"),
    flock: all("flock"),
    atomicOTrunc: all("atomicOTrunc"),
    handleKillprivV2: all("handleKillprivV2"),
    dontMask: all("dontMask"),
    writebackCache: all("writebackCache"),
    cacheSymlinks: all("cacheSymlinks"),
    createSuppGroup: all("createSuppGroup"),
    posixAcl: all("posixAcl")
  }
}


type Interruptible = NonNullable<Backend["interruptible"]>

/** Those of a backend that says nothing. */
const usual: Interruptible = ["read", "setlkw", "poll", "ioctl"]

/** The operations that a signal may stop, whichever backend they go to. */
export const interruptibleOf = (backends: ReadonlyArray<Backend>): Interruptible => {
  const [first = usual, ...others] = backends.map(({ interruptible }) => interruptible ?? usual)
  return first.filter((name) => others.every((list) => list.includes(name)))
}
