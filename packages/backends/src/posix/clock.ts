import type { Timespec } from "@bickford/protocol"

/** How many more may have the time that was read for one. */
const sharing = 15

/** `read`, but requests that are read in one go share a reading, a few of them: it costs as much as all the rest of a small one. */
export const sharedReading = <A>(read: () => A): (() => A) => {
  let last = read()
  let uses = 0
  const expire = (): void => {
    uses = 0
  }
  return () => {
    if (uses > 0) {
      uses--
      return last
    }
    uses = sharing
    void Promise.resolve().then(expire)
    return (last = read())
  }
}

/**
 * The time of day in whole milliseconds, as the kernel's own filesystems take their times from a coarse
 * clock that ticks every 1 to 10: never ahead of what a program reads from its clock.
 */
export const systemClock = (): (() => Timespec) => {
  let last: Timespec = { sec: 0, nsec: 0 }
  let lastMillis = 0
  return sharedReading(() => {
    const millis = Date.now()
    if (millis === lastMillis) return last
    lastMillis = millis
    const sec = Math.floor(millis / 1000)
    // As a small integer: V8 keeps what was computed with fractions in a box.
    last = { sec, nsec: ((millis - sec * 1000) * 1_000_000) | 0 }
    return last
  })
}

/** Whether `a` is not after `b`. */
export const notAfter = (a: Timespec, b: Timespec): boolean => a.sec < b.sec || (a.sec === b.sec && a.nsec <= b.nsec)

/** Whole seconds and nanoseconds of a number of seconds, for timeouts. */
export const timespec = (seconds: number): Timespec => {
  const sec = Math.floor(seconds)
  return { sec, nsec: Math.min(999_999_999, Math.round((seconds - sec) * 1e9)) }
}
