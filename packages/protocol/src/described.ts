/** Values from outside in words, for errors that say what was there instead of what is expected. */
import { printable, printableJson } from "./printable.ts"

const textMax = 40

const objectInWords = (value: object): string => {
  const { constructor } = value
  return typeof constructor !== "function" || constructor === Object
    ? "an object"
    : `an object of ${printable(constructor.name)}`
}

const inWords = (value: unknown): string => {
  switch (typeof value) {
    case "string":
      return `the string ${printableJson(value.length > textMax ? `${value.slice(0, textMax)}...` : value)}`
    case "number":
    case "bigint":
    case "boolean":
      return `a ${typeof value}, ${value}`
    case "function":
      return value.name === "" ? "a function" : `the function ${printable(value.name)}`
    case "object":
      if (value === null) return "null"
      if (Array.isArray(value)) return "an array"
      return value instanceof Promise ? "a promise" : objectInWords(value)
    default:
      return value === undefined ? "undefined" : `a ${typeof value}`
  }
}

/** Returns what a value is: its type, and how it reads where that is short. Never throws. */
export const described = (value: unknown): string => {
  try {
    return inWords(value)
  } catch {
    // A proxy, or a getter of `constructor`, throws what it likes.
    return "an object that cannot be looked at"
  }
}
