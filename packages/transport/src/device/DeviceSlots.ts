/** The slots that one connection holds of those that its thread shares. */
import type { DeviceSlot } from "./DeviceSlot.ts"
import type { SlotPool } from "./slotPool.ts"
import type { WriteLoan } from "./WriteLoan.ts"

export class DeviceSlots {
  private readonly pool: SlotPool
  /** Slots that the connection may hold at once. */
  private readonly limit: number
  private readonly loan: WriteLoan
  private held = 0
  /** Somebody waits for a slot: `onFree` is called when there is one. */
  wanted = false
  onFree: () => void = () => {}

  constructor(pool: SlotPool, limit: number, loan: WriteLoan) {
    this.pool = pool
    this.limit = limit
    this.loan = loan
  }

  /** Slots that can be taken. */
  get free(): number {
    return this.limit - this.held
  }

  /** Returns a slot to read into; undefined when the connection holds as many as it may, or there is no memory. */
  take(): DeviceSlot | undefined {
    if (this.held === this.limit) return undefined
    const slot = this.pool.take()
    if (typeof slot === "number") {
      this.pool.onGiven(this.wake)
      return undefined
    }
    this.held++
    return slot
  }

  /** Puts a slot back that was never delivered. */
  putBack(slot: DeviceSlot): void {
    if (slot.apart !== undefined) this.loan.end(slot)
    this.held--
    this.pool.give(slot)
  }

  /** Takes a slot back from the sink that it was delivered to. */
  giveBack(slot: DeviceSlot): void {
    if (slot.free) throw new Error("a slot was given back twice")
    slot.free = true
    this.putBack(slot)
    if (this.wanted) this.onFree()
  }

  /** Returns a slot whose memory can be used until the next is taken; undefined when there is none. */
  spare(): DeviceSlot | undefined {
    return this.pool.spare()
  }

  private wake = (): void => {
    if (this.wanted) this.onFree()
  }
}
