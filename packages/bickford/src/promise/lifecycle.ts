/**
 * Filesystems by their mountpoints: start, stop, wait, ask. Several at once.
 *
 * @module
 */
import type { BackendSource } from "@bickford/session"
import { readlinkSync } from "node:fs"
import { realpath } from "node:fs/promises"
import { join, resolve } from "node:path"
import { MountFailure } from "./MountFailure.ts"
import { mount, type Mounted, type MountOptions } from "./mount.ts"

type State = "started" | "stopped"

interface Running {
  readonly filesystem: BackendSource
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
  if (running.has(key))
    throw new MountFailure({ message: `${key} is started already`, code: "EBUSY", errno: -16, syscall: "mount" })
  const mounted = mount(key, backend, options)
  const ended = mounted
    .then((mount) => mount.ended)
    .then(
      () => undefined,
      () => undefined
    )
    .finally(() => {
      running.delete(key)
      changed(key)
    })
  running.set(key, { filesystem: backend, mounted, ended })
  await mounted
  changed(key)
}

/**
 * Unmounts, detaching what is busy; resolves when it has ended. Does nothing where nothing runs. Rejects with a
 * `MountFailure` (EINVAL), and unmounts nothing, when `filesystem` is given and another one is mounted there.
 */
export const stop = async (mountpoint: string, filesystem?: BackendSource): Promise<void> => {
  const key = await keyOf(mountpoint)
  const found = running.get(key)
  if (found === undefined) return
  if (filesystem !== undefined && filesystem !== found.filesystem) {
    throw new MountFailure({
      message: `${key}: another filesystem is mounted there than the one that was to be stopped; nothing was unmounted`,
      code: "EINVAL",
      errno: -22,
      syscall: "umount"
    })
  }
  await (await found.mounted)[Symbol.asyncDispose]()
  await found.ended
}

const linkAt = (path: string): string | undefined => {
  try {
    return readlinkSync(path)
  } catch {
    return undefined
  }
}

const linksMax = 40

/** As realpath(3), but goes no further than a mountpoint of ours: this thread would wait for its own answer. */
const keyNow = (mountpoint: string): string => {
  const known = resolve(mountpoint)
  const left = known.split("/").filter((name) => name !== "")
  let at = "/"
  let links = 0
  for (let name = left.shift(); name !== undefined; name = left.shift()) {
    const next = join(at, name)
    if (running.has(next)) return join(next, ...left)
    const target = linkAt(next)
    if (target === undefined) at = next
    else if (++links > linksMax) return known
    else {
      left.unshift(
        ...resolve(at, target)
          .split("/")
          .filter((part) => part !== "")
      )
      at = "/"
    }
  }
  return at
}

/** Whether a filesystem that was started here serves now; `filesystem`, where it is given. Follows symbolic links, as `start` does. */
export const isRunning = (mountpoint: string, filesystem?: BackendSource): boolean => {
  const found = running.get(keyNow(mountpoint))
  return found !== undefined && (filesystem === undefined || filesystem === found.filesystem)
}

/** Resolves when the filesystem at `mountpoint` has started, or has stopped (the default); at once when that is so. */
export const wait = async (mountpoint: string, state: State = "stopped"): Promise<void> => {
  const key = await keyOf(mountpoint)
  for (;;) {
    const found = running.get(key)
    if (state === "stopped" && found === undefined) return
    if (
      state === "started" &&
      found !== undefined &&
      (await found.mounted.then(
        () => true,
        () => false
      ))
    )
      return
    await new Promise<void>((tell) => {
      const list = waiting.get(key)
      if (list === undefined) waiting.set(key, [tell])
      else list.push(tell)
    })
  }
}
