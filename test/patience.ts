/**
 * Backstops for what hangs. None is a measure of speed: a test waits for a condition, and a loaded machine
 * may take any time to reach it. Each one is shorter than vitest's own (vitest.config.ts), so that the inner
 * watchdog ends the hang and tells what was in flight.
 */

/** Milliseconds after which a condition, or a command on a mount, is taken to never come to its end. */
export const patienceMilliseconds = 240_000

/** Milliseconds that a finalizer leaves a process to end by itself before it is killed. */
export const farewellMilliseconds = 60_000
