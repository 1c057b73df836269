/**
 * What is wrong with a backend, in a sentence: its members are looked at once, when it is given, not at each request.
 *
 * TypeScript's callers are told by the types. In JavaScript a promise, a function that was not called or a misspelt operation
 * would be a filesystem without operations, whose every call fails.
 */
import { described, operationNames, slipOf } from "@bickford/protocol"
import * as Effect from "effect/Effect"
import { copiedMark } from "./isolates/servedByIsolates.ts"

const isThenable = (value: object): boolean => "then" in value && typeof value.then === "function"

const isFunction = (value: unknown): boolean => typeof value === "function"
const isObject = (value: unknown): boolean => typeof value === "object" && value !== null && !Array.isArray(value)

const isShared = (value: unknown): boolean =>
  typeof value === "object" && value !== null && "module" in value && typeof value.module === "string"

type Member = readonly [name: string, isRight: (value: unknown) => boolean, expected: string]

/** What a backend has besides operations, and what each must be. */
const members: ReadonlyArray<Member> = [
  ...["init", "destroy", "forget", "forgotten", "delivered", "pathOf"].map((name): Member => [
    name,
    isFunction,
    "a function"
  ]),
  ["commit", Effect.isEffect, "an Effect"],
  ["run", Effect.isEffect, "an Effect"],
  ["durable", (value) => typeof value === "boolean", "true or false"],
  ["shared", isShared, "an object, { module: URL, data }"],
  ["capabilities", isObject, "an object, as { cacheSymlinks: true }"],
  [
    "interruptible",
    (value) => typeof value === "object" && value !== null,
    "a list of operations, or an object by operation"
  ]
]
const functions = [...operationNames, "init", "destroy", "forget", "delivered"]
const known: ReadonlySet<string> = new Set([...operationNames, ...members.map(([name]) => name)])

/** The library's own word for counters is a character away from `statfs`. */
const ownWords: ReadonlySet<string> = new Set(["stats"])

/** The names of functions that an object has, those of its class included. */
const functionNames = (backend: object): ReadonlyArray<string> => {
  const names = new Set<string>()
  for (let at: object | null = backend; at !== null && at !== Object.prototype; at = Reflect.getPrototypeOf(at)) {
    for (const name of Object.getOwnPropertyNames(at)) {
      if (name !== "constructor" && !known.has(name) && isFunction(Reflect.get(backend, name))) names.add(name)
    }
  }
  return [...names]
}

/** A backend may have functions of its own; one whose name is a slip away from an operation that is lacking is that operation. */
const misspelt = (backend: object): string | undefined => {
  const lacking = functions.filter((name) => Reflect.get(backend, name) === undefined)
  for (const name of functionNames(backend)) {
    // `reads` beside no `read` is a count of them.
    const meant = ownWords.has(name)
      ? undefined
      : slipOf(
          name,
          lacking.filter((one) => name !== `${one}s`)
        )
    if (meant !== undefined) return `the backend's ${name} is not an operation; did you mean ${meant}?`
  }
  return undefined
}

const wrongMember = (backend: object): string | undefined => {
  for (const name of operationNames) {
    const value: unknown = Reflect.get(backend, name)
    if (value !== undefined && !isFunction(value))
      return `the backend's ${name} is ${described(value)}; it must be a function, or undefined`
  }
  for (const [name, isRight, expected] of members) {
    const value: unknown = Reflect.get(backend, name)
    if (value !== undefined && !isRight(value))
      return `the backend's ${name} is ${described(value)}; it must be ${expected}`
  }
  return copiedMark(backend)
}

const expected = "it must be a backend, or an Effect that acquires one"

/** Says what is wrong with what is to be served; undefined when it is a backend. Calls nothing but getters. */
export const backendFault = (backend: unknown): string | undefined => {
  if (typeof backend === "function") {
    const { name } = backend
    return `the backend is ${described(backend)}; ${expected}${name === "" ? "" : `: call it, ${name}()`}`
  }
  if (typeof backend !== "object" || backend === null || Array.isArray(backend))
    return `the backend is ${described(backend)}; ${expected}`
  if (isThenable(backend)) return `the backend is a promise; ${expected}: await the promise first`
  return wrongMember(backend) ?? misspelt(backend)
}

/** As `backendFault`; what an Effect acquires is looked at when it is there. */
export const sourceFault = (source: unknown): string | undefined =>
  Effect.isEffect(source) ? undefined : backendFault(source)
