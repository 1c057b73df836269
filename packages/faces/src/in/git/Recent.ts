/** What was used lately, up to a bound of what it weighs. */
export class Recent<A> {
  readonly #most: number
  readonly #entries = new Map<string, { readonly value: Promise<A>; weight: number }>()
  #weight = 0

  constructor(most: number) {
    this.#most = most
  }

  /** The value of a key, made where it is not there; `weigh` says what it weighs. One that fails is not kept. */
  get(key: string, make: () => Promise<A>, weigh: (value: A) => number): Promise<A> {
    const known = this.#entries.get(key)
    if (known !== undefined) {
      this.#entries.delete(key)
      this.#entries.set(key, known)
      return known.value
    }
    const value = make()
    const entry = { value, weight: 0 }
    this.#entries.set(key, entry)
    value.then(
      (made) => {
        if (this.#entries.get(key) !== entry) return
        entry.weight = weigh(made)
        this.#weight += entry.weight
        this.#trim()
      },
      () => {
        if (this.#entries.get(key) === entry) this.#entries.delete(key)
      }
    )
    return value
  }

  #trim(): void {
    for (const [key, { weight }] of this.#entries) {
      if (this.#weight <= this.#most) return
      this.#entries.delete(key)
      this.#weight -= weight
    }
  }
}
