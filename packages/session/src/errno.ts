/**
 * Errno as typed errors: one tag per errno, so `Effect.catchTag("ENOENT", ...)` works and an
 * operation's signature says what it can fail with.
 *
 * `Errno.ENOENT` is the failure itself: an `Exit`, allocated once, that a backend returns as it is.
 */
import * as Exit from "effect/Exit"
import { errnoAliases, errnoName, type ErrnoName, errnoNumbers } from "@bickford/protocol"

/** The error whose tag is `N`. Carries no stack: it is an answer, not a fault. */
export interface ErrnoErrorOf<N extends ErrnoName> {
  readonly _tag: N
  /** The positive error number. */
  readonly errno: number
  readonly message: string
}

/** Any errno's error: a union discriminated by `_tag`. */
export type ErrnoError = { readonly [N in ErrnoName]: ErrnoErrorOf<N> }[ErrnoName]

const make = <N extends ErrnoName>(name: N, errno: number, message: string): ErrnoErrorOf<N> =>
  Object.freeze({ _tag: name, errno, message })

type Failures = { readonly [N in ErrnoName]: Exit.Exit<never, ErrnoErrorOf<N>> }

const allErrors = new Map<number, ErrnoError>()
const failures: Partial<Record<ErrnoName, Exit.Exit<never, ErrnoError>>> = {}
for (const name of Object.keys(errnoNumbers) as ReadonlyArray<ErrnoName>) {
  const error = make(name, errnoNumbers[name], name) as ErrnoError
  allErrors.set(error.errno, error)
  failures[name] = Exit.fail(error)
}

/** Every errno as a failure that is ready to be returned: `return Errno.ENOENT`. */
// A copy: what grows to so many properties V8 keeps in a dictionary, and the copy of one it does not.
export const Errno: Failures = { ...failures } as Failures

/**
 * The typed error of a positive error number. A number that Linux does not have becomes EIO, with
 * the number kept in the message and in `errno`.
 */
export const errnoError = (number: number): ErrnoError =>
  allErrors.get(number) ?? make("EIO", number, `unknown errno ${number}`)

/** As `errnoError`, by name. */
export const errnoErrorNamed = <N extends ErrnoName>(name: N): ErrnoErrorOf<N> =>
  allErrors.get(errnoNumbers[name]) as ErrnoErrorOf<N>

/** Whether a value is one of these errors. */
export const isErrnoError = (value: unknown): value is ErrnoError =>
  typeof value === "object" &&
  value !== null &&
  "errno" in value &&
  typeof value.errno === "number" &&
  "_tag" in value &&
  typeof value._tag === "string" &&
  Object.hasOwn(errnoNumbers, value._tag)

/** The number to put on the wire for an error: EIO when it is none that the kernel accepts (1 to 511). */
export const wireErrno = ({ errno }: ErrnoError): number => (errnoName(errno) === undefined ? errnoNumbers.EIO : errno)

const isErrnoName = (name: string): name is ErrnoName => Object.hasOwn(errnoNumbers, name)
const isAlias = (name: string): name is keyof typeof errnoAliases => Object.hasOwn(errnoAliases, name)

const errnoOfNumber = (value: unknown): ErrnoError | undefined =>
  typeof value === "number" && Number.isInteger(value) && value !== 0 ? errnoError(Math.abs(value)) : undefined

/**
 * The errno that something thrown or rejected stands for: one of `Errno`, one of Node's errors by its `code`, or by
 * `errno` where it has none, a positive or negative error number. Undefined for anything else, which is a defect.
 */
export const errnoOf = (thrown: unknown): ErrnoError | undefined => {
  if (isErrnoError(thrown)) return thrown
  // `throw Errno.ENOENT`
  if (Exit.isExit(thrown)) {
    const failure = Exit.findErrorOption(thrown)
    return failure._tag === "Some" ? errnoOf(failure.value) : undefined
  }
  if (typeof thrown !== "object" || thrown === null) return errnoOfNumber(thrown)
  if ("code" in thrown && typeof thrown.code === "string") {
    const code = isAlias(thrown.code) ? errnoAliases[thrown.code] : thrown.code
    // Where the code is none of Linux's, nor is the number: zlib's Z_DATA_ERROR is -3, which here is ESRCH.
    return isErrnoName(code) ? errnoError(errnoNumbers[code]) : undefined
  }
  return "errno" in thrown ? errnoOfNumber(thrown.errno) : undefined
}
