/** Who serves a FUSE mount, as far as the kernel tells. */
import * as Effect from "effect/Effect"
import { readdir, readFile, readlink } from "node:fs/promises"

/** A process with an open `/dev/fuse` of the mount's connection. */
export interface Holder {
  readonly pid: number
  /** The process's name, as in /proc/PID/comm. */
  readonly name: string
}

const orElse = async <A>(value: Promise<A>, other: A): Promise<A> => {
  try {
    return await value
  } catch {
    return other
  }
}

const serves = async (pid: string, connection: number): Promise<boolean> => {
  for (const fd of await orElse(readdir(`/proc/${pid}/fd`), [])) {
    if ((await orElse(readlink(`/proc/${pid}/fd/${fd}`), "")) !== "/dev/fuse") continue
    const info = await orElse(readFile(`/proc/${pid}/fdinfo/${fd}`, "utf8"), "")
    const [, id] = /^fuse_connection:\s*(\d+)$/m.exec(info) ?? []
    if (id !== undefined && Number(id) === connection) return true
  }
  return false
}

/** What a thread is called that serves a CPU's callers of the mount with this device (`MAJOR:MINOR`): 15 bytes at most are kept. */
export const isolateThreadName = (device: string, cpu: number): string => `${namePrefix(device)}${cpu}`

const namePrefix = (device: string): string => `fuse:${device.slice(device.indexOf(":") + 1)}:`

/** How many threads of a process serve the mount with this device over io_uring, each for some CPUs; 0 when one does as it does all else. */
export const countIsolates = (pid: number, device: string): Effect.Effect<number> =>
  Effect.promise(async () => {
    const tasks = await orElse(readdir(`/proc/${pid}/task`), [])
    const names = await Promise.all(tasks.map((task) => orElse(readFile(`/proc/${pid}/task/${task}/comm`, "utf8"), "")))
    return names.filter((name) => name.startsWith(namePrefix(device))).length
  })

/**
 * The process that holds the connection of the mount with this device (`MAJOR:MINOR`). Needs the
 * `fuse_connection` line of /proc/PID/fdinfo (Linux 6.18) and the right to read it; else undefined.
 */
export const findHolder = (device: string): Effect.Effect<Holder | undefined> =>
  Effect.promise(async () => {
    const connection = Number(device.slice(device.indexOf(":") + 1))
    for (const pid of await orElse(readdir("/proc"), [])) {
      if (!/^\d+$/.test(pid) || !(await serves(pid, connection))) continue
      return { pid: Number(pid), name: (await orElse(readFile(`/proc/${pid}/comm`, "utf8"), "")).trim() }
    }
    return undefined
  })
