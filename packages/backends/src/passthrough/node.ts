/** One file that the kernel knows. */
import type { Name, Timespec } from "@bickford/protocol"
import type { Identity } from "./attributes.ts"

/** Times that a file had, seen first at `since`, by the monotonic clock in milliseconds. */
interface Sighting {
  readonly mtime: Timespec
  readonly ctime: Timespec
  readonly since: number
  /** No change could have the same times any more: what was read from then on may be kept. */
  readonly settled: boolean
}

export class Node {
  readonly id: number
  readonly generation: number
  readonly identity: Identity
  /** -1 while none is held. */
  fd = -1
  /** One with which it is open, lent while it holds none of its own; or -1. */
  lent = -1
  /** So many have it open. */
  opens = 0
  /** So many of those have it open by this descriptor, which has to stay for them. */
  unopened = 0
  /** Its descriptor is never let go: its path does not lead to it. */
  pinned = false
  /** Since the last sweep. */
  used = true
  /** The last operation that has used its descriptor. */
  operation = 0
  handle: Uint8Array | undefined = undefined
  /** Where it was last seen. */
  parent: Node | undefined
  name: Name
  /** Milliseconds of the last time that it was seen to lie beneath the root. */
  beneathAt = Number.NEGATIVE_INFINITY
  /** Its times as they were seen when it was opened last. */
  sighting: Sighting | undefined = undefined
  /** Registered with the kernel, for so many that have it open; `kept`: by this node's descriptor, as long as that is held. */
  backing: { readonly id: number; opens: number; kept: boolean } | undefined = undefined
  /** Of a directory: names that were removed, or replaced, through the mount of late. */
  removedNames: Set<Name> | undefined = undefined
  /** The threads (pid of their requests) that were told ESTALE as they changed it by what may be no name of its own. */
  sentBack: Set<number> | undefined = undefined
  /** The kernel does not take it, and never will. */
  refused = false

  constructor(id: number, generation: number, identity: Identity, parent: Node | undefined, name: Name) {
    this.id = id
    this.generation = generation
    this.identity = identity
    this.parent = parent
    this.name = name
  }
}
