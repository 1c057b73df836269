/** The folders of a mount table: roots of backends, and those on the way to them. */
import type { Name } from "@bickford/protocol"
import type { Backend } from "@bickford/session"

export interface Folder {
  /** Place among the folders; the root's is 0. */
  readonly index: number
  readonly parent: Folder | undefined
  /** Its backend's place in the table, from 1 on; 0 for a folder that only leads to others. */
  space: number
  readonly children: Map<string, Folder>
}

export const makeFolders = (mounts: { readonly [path: string]: Backend }) => {
  const folders: Array<Folder> = []
  const make = (parent: Folder | undefined): Folder => {
    const folder: Folder = { index: folders.length, parent, space: 0, children: new Map() }
    folders.push(folder)
    return folder
  }
  const root = make(undefined)
  const backends: Array<Backend> = []
  for (const [path, backend] of Object.entries(mounts)) {
    const names = path.split("/").filter((name) => name !== "")
    if (!path.startsWith("/") || names.some((name) => name === "." || name === "..")) {
      throw new TypeError(`a mount table's paths begin with / and have no . or ..: ${path}`)
    }
    let at = root
    for (const name of names) {
      const next = at.children.get(name) ?? make(at)
      at.children.set(name, next)
      at = next
    }
    if (at.space !== 0) throw new TypeError(`two backends of a mount table are at ${path}`)
    backends.push(backend)
    at.space = backends.length
  }
  return { root, folders, backends }
}

/** The folder of this name in a folder. */
export const childOf = (folder: Folder | undefined, name: Name): Folder | undefined =>
  folder === undefined || typeof name !== "string" ? undefined : folder.children.get(name)
