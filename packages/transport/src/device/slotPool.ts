/**
 * The slots that the connections of this thread share. A connection needs one only from a read to the reply, so one
 * that is idle has none, and costs no memory. Slots are made when they are needed, and the one used last is used
 * next: its memory is the warmest.
 */
import { DeviceSlot, slotSize } from "./DeviceSlot.ts"
import { discardMemory } from "../memory.ts"
import { addon } from "../native.ts"

/** Slots that are kept though nobody uses them: two connections that are busy to their limits find all they need. */
const kept = 16
const hugePage = 2 << 20

export interface SlotPool {
  /** A free slot; a negative errno when there is none and no memory for one. */
  readonly take: () => DeviceSlot | number
  /** Takes a slot back that nobody refers to any more. */
  readonly give: (slot: DeviceSlot) => void
  /** The slot that will be taken next: its memory can be used until then. Undefined when there is no memory for one. */
  readonly spare: () => DeviceSlot | undefined
  /** Calls back, once, when a slot has been given back. */
  readonly onGiven: (wake: () => void) => void
}

const makePool = (frameCapacity: number, bodyCapacity: number): SlotPool => {
  const free: Array<DeviceSlot> = []
  const waiting = new Set<() => void>()
  const size = slotSize(frameCapacity, bodyCapacity)
  // Most of a huge page is as good as all of it: copies into it meet fewer misses.
  const bytes = size > hugePage / 2 ? Math.ceil(size / hugePage) * hugePage : size

  const make = (): DeviceSlot | number => {
    const made = addon.slot_memory(bytes)
    return typeof made === "number" ? made : new DeviceSlot(made.memory, made.number, frameCapacity, bodyCapacity)
  }

  const wake = (): void => {
    const all = [...waiting]
    waiting.clear()
    for (const each of all) each()
  }

  return {
    take: () => free.pop() ?? make(),
    give: (slot) => {
      if (free.length < kept) free.push(slot)
      else discardMemory(slot.bytes)
      if (waiting.size > 0) wake()
    },
    spare: () => {
      if (free.length === 0) {
        const made = make()
        if (typeof made !== "number") free.push(made)
      }
      return free.at(-1)
    },
    onGiven: (wake) => void waiting.add(wake)
  }
}

const pools = new Map<string, SlotPool>()

/** The pool of slots with these capacities. */
export const slotPoolOf = (frameCapacity: number, bodyCapacity: number): SlotPool => {
  const key = `${frameCapacity} ${bodyCapacity}`
  const pool = pools.get(key) ?? makePool(frameCapacity, bodyCapacity)
  pools.set(key, pool)
  return pool
}
