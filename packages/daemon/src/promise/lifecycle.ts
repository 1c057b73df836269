/**
 * Filesystems by their mountpoints: start, stop, wait, ask. Several at once.
 *
 * @module
 */
import type { BackendSource } from "@bickford/session"
import { realpath } from "node:fs/promises"
import { resolve } from "node:path"
import { MountFailure } from "./MountFailure.ts"
import { mount, type Mounted, type MountOptions } from "./mount.ts"

type State = "started" | "stopped"

interface Running {
  readonly mounted: Promise<Mounted>
  readonly ended: Promise<void>
}

const running = new Map<string, Running>()
const waiting = new Map<string, Array<() => void>>()

const keyOf = async (mountpoint: string): Promise<string> => {
  const known = resolve(mountpoint)
  // What is mounted may not answer; its path is known already.
  return running.has(known) ? known : realpath(known).catch(() => known)
}

const changed = (key: string): void => {
  for (const tell of waiting.get(key)?.splice(0) ?? []) tell()
}

/**
 * Mounts `backend` and serves it until `stop`, or an unmount. Rejects with a `MountFailure` (EBUSY when it
 * is started here already) and leaves nothing mounted then.
 */
export const start = async (mountpoint: string, backend: BackendSource, options?: MountOptions): Promise<void> => {
  const key = await keyOf(mountpoint)
  if (running.has(key)) throw new MountFailure(`${key} is started already`, "EBUSY", -16, "mount")
  const mounted = mount(key, backend, options)
  const ended = mounted.then((mount) => mount.ended).then(
    () => undefined,
    () => undefined
  ).finally(() => {
    running.delete(key)
    changed(key)
  })
  running.set(key, { mounted, ended })
  await mounted
  changed(key)
}

/** Unmounts, detaching what is busy; resolves when it has ended. Does nothing where nothing runs. */
export const stop = async (mountpoint: string): Promise<void> => {
  const found = running.get(await keyOf(mountpoint))
  if (found === undefined) return
  await (await found.mounted)[Symbol.asyncDispose]()
  await found.ended
}

/** Whether a filesystem that was started here serves now. */
export const isRunning = (mountpoint: string): boolean => running.has(resolve(mountpoint))

/** Resolves when the filesystem at `mountpoint` has started, or has stopped (the default); at once when that is so. */
export const wait = async (mountpoint: string, state: State = "stopped"): Promise<void> => {
  const key = await keyOf(mountpoint)
  for (;;) {
    const found = running.get(key)
    if (state === "stopped" && found === undefined) return
    if (state === "started" && found !== undefined && (await found.mounted.then(() => true, () => false))) return
    await new Promise<void>((tell) => {
      const list = waiting.get(key)
      if (list === undefined) waiting.set(key, [tell])
      else list.push(tell)
    })
  }
}
