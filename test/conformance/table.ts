/** The table's form: behaviours with names, in groups. */
import { parseScript } from "./script.ts"

export interface Behaviour {
  readonly name: string
  readonly steps: ReturnType<typeof parseScript>
  /** Why the kernel itself refuses this on a FUSE mount, whatever the server is. */
  readonly refusedOnFuse: string | undefined
  /** It compares what the disk has left, of which others take and give back meanwhile: it holds when one of a few tries does. */
  readonly ofAllOnTheDisk: boolean
}

export interface Group {
  readonly name: string
  readonly behaviours: ReadonlyArray<Behaviour>
}

interface BehaviourOptions {
  readonly refusedOnFuse?: string
  readonly ofAllOnTheDisk?: boolean
}

export type Add = (name: string, script: string, options?: BehaviourOptions) => void

/** A group of behaviours; no two of a group have the same name. */
export const group = (name: string, fill: (add: Add) => void): Group => {
  const behaviours = new Map<string, Behaviour>()
  fill((behaviour, script, options) => {
    if (behaviours.has(behaviour)) throw new Error(`${name}: ${behaviour} is there twice`)
    behaviours.set(behaviour, {
      name: behaviour,
      steps: parseScript(script),
      refusedOnFuse: options?.refusedOnFuse,
      ofAllOnTheDisk: options?.ofAllOnTheDisk ?? false
    })
  })
  return { name, behaviours: [...behaviours.values()] }
}

export const fileTypes = ["regular", "dir", "fifo", "block", "char", "socket", "symlink"] as const
/** Those that are not followed. */
export const ownTypes = ["regular", "dir", "fifo", "block", "char", "socket"] as const
export const otherThanDirectories = ["regular", "fifo", "block", "char", "socket", "symlink"] as const

/** The command that removes a file of this type. */
export const remover = (type: (typeof fileTypes)[number]): string => (type === "dir" ? "rmdir" : "unlink")

const times = ["atime", "mtime", "ctime"] as const

/** Lines around others: exactly these times of a file change, to later ones. */
export const changing = (path: string, changed: ReadonlyArray<(typeof times)[number]>, lines: string): string => `
  before = lstat ${path}
  tick
  ${lines}
  lstat ${path} => ${times.map((time) => `${time}${changed.includes(time) ? ">" : "="}$before.${time}`).join(" ")}
`
