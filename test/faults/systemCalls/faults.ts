/** Under the shim: which call of the addon's goes wrong next. */
import { openSync, readSync, writeSync } from "node:fs"

export interface Fault {
  readonly call: string
  readonly how: "fail" | "short" | "nothing"
  /** The errno; for `fail`. */
  readonly error?: number
  /** How often; negative: for ever. */
  readonly times: number
  /** How many go through before. Default 0. */
  readonly after?: number
}

const control = openSync(process.env["BICKFORD_FAULTS"] ?? "", "r+")

/** Has a call go wrong from now on, in place of the one before. */
export const arm = ({ after = 0, call, error = 0, how, times }: Fault): void => {
  const rule = Buffer.alloc(52)
  rule.write(call, "latin1")
  rule.writeInt32LE(["fail", "short", "nothing"].indexOf(how), 32)
  rule.writeInt32LE(error, 36)
  rule.writeInt32LE(times, 40)
  rule.writeInt32LE(after, 48)
  writeSync(control, rule, 0, rule.length, 0)
}

const wordAt = (offset: number): number => {
  const word = Buffer.alloc(4)
  readSync(control, word, 0, 4, offset)
  return word.readInt32LE()
}

/** How often it went wrong. */
export const met = (): number => wordAt(44)

/** How often the addon makes `call` while `during` runs. */
export const callsOf = (call: string, during: () => void): number => {
  const more = 1_000_000
  arm({ call, how: "nothing", times: 1, after: more })
  during()
  return more - wordAt(48)
}
