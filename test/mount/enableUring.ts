/** Root turns FUSE over io_uring on for a moment: the kernel looks at it when it sends INIT. */
import type { Mount } from "@bickford/session"
import * as Effect from "effect/Effect"
import * as Scope from "effect/Scope"
import * as Semaphore from "effect/Semaphore"
import { existsSync, readFileSync, rmSync, writeFileSync } from "node:fs"
import { tmpdir } from "node:os"
import { join } from "node:path"

const parameter = "/sys/module/fuse/parameters/enable_uring"

const turn = (on: boolean): void => {
  try {
    writeFileSync(parameter, on ? "Y" : "N")
  } catch (error) {
    throw new Error(`this test needs Linux 6.14, root and ${parameter}: ${String(error)}`, { cause: error })
  }
}

/** The parameter is the machine's: one process of the tests has it at a time. */
const lockFile = join(tmpdir(), "bickford-enable-uring.lock")

/** Takes the lock; false when a process that lives has it. */
const tryLock = (): boolean => {
  try {
    writeFileSync(lockFile, String(process.pid), { flag: "wx" })
    return true
  } catch {
    const owner = existsSync(lockFile) ? readFileSync(lockFile, "latin1") : ""
    // Left by a process that was killed. An empty one is being written.
    if (owner !== "" && !existsSync(`/proc/${owner}`)) rmSync(lockFile, { force: true })
    return false
  }
}

/** Mounts of this process come one after the other. */
const turns = Semaphore.makeUnsafe(1)

const locked = Effect.acquireRelease(
  Effect.repeat(Effect.andThen(Effect.sleep("10 millis"), Effect.sync(tryLock)), { until: (taken) => taken }),
  () => Effect.sync(() => rmSync(lockFile, { force: true }))
)

/** Runs `body` with the parameter as said; then as it was before. */
const withParameter = <A, E, R>(on: boolean, body: Effect.Effect<A, E, R>): Effect.Effect<A, E, R> =>
  turns.withPermits(1)(
    Effect.scopedWith((scope) =>
      Effect.andThen(
        Scope.provide(locked, scope),
        Effect.acquireUseRelease(
          Effect.sync(() => {
            const before = existsSync(parameter) && readFileSync(parameter, "latin1").trim() === "Y"
            turn(on)
            return before
          }),
          () => body,
          (before) => Effect.sync(() => turn(before))
        )
      )
    )
  )

/** Runs `body` while the kernel offers io_uring to new connections. */
export const offeringRings = <A, E, R>(body: Effect.Effect<A, E, R>): Effect.Effect<A, E, R> =>
  withParameter(true, body)

/** Runs `body` while it does not. */
export const withholdingRings = <A, E, R>(body: Effect.Effect<A, E, R>): Effect.Effect<A, E, R> =>
  withParameter(false, body)

let offered = 0

/** How many mounts of this process were made on rings. */
export const offeredRings = (): number => offered

/** Makes a mount that asks for rings; fails where the kernel has not agreed to them. */
export const mountOnRings = <A extends { readonly mounted: Mount }, E, R>(making: Effect.Effect<A, E, R>) =>
  Effect.tap(offeringRings(making), ({ mounted }) => {
    offered++
    return mounted.session.connection.negotiated?.overIoUring === true
      ? Effect.void
      : Effect.die(new Error("the kernel has not agreed to io_uring, though enable_uring is set"))
  })
