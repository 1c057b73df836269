/** Things known by path, which follow renames of the directories above. */
export class PathMap<V> {
  readonly #values = new Map<string, V>()

  get(path: string): V | undefined {
    return this.#values.get(path)
  }

  /** Everything, by its present path. */
  entries(): IterableIterator<[string, V]> {
    return this.#values.entries()
  }

  set(path: string, value: V): void {
    this.#values.set(path, value)
  }

  delete(path: string): void {
    this.#values.delete(path)
  }

  /** Forgets a thing, wherever it is. */
  deleteValue(value: V): void {
    for (const [path, known] of this.#values) if (known === value) this.#values.delete(path)
  }

  /** What was at `path` and below it is at `newPath` now; what was there is gone. */
  move(path: string, newPath: string): void {
    if (this.#values.size === 0) return
    this.#remove(newPath)
    for (const [key, value] of this.#below(path)) {
      this.#values.delete(key)
      this.#values.set(newPath + key.slice(path.length), value)
    }
  }

  #below(path: string): ReadonlyArray<readonly [string, V]> {
    return Array.from(this.#values).filter(([key]) => key === path || key.startsWith(`${path}/`))
  }

  #remove(path: string): void {
    for (const [key] of this.#below(path)) this.#values.delete(key)
  }
}
