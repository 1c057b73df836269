/** What a person's module failed with, so that the person finds the line. */
import { printable } from "@bickford/protocol"
import { fileURLToPath, pathToFileURL } from "node:url"
import { ownDirectory, syntaxReport } from "../ownProgram.ts"

/** A place in a file, as stacks and Node's own reports of syntax errors write it. */
const places = /(?<=^|[\s(])((?:file:\/\/)?\/[^\s()]+?):(\d+)(?::(\d+))?(?=[\s)]|$)/gm

const placeIn = (text: string): string | undefined => {
  for (const [, file = "", ...numbers] of text.matchAll(places)) {
    const path = file.startsWith("file://") ? fileURLToPath(file) : file
    // Frames of this package's own are of no use to the module's author.
    if (!path.startsWith(`${ownDirectory}/`)) return [path, ...numbers].filter((part) => part !== undefined).join(":")
  }
  return undefined
}

/** One line, `TypeError: it failed, at /path/module.ts:3:7`, and the stack with it. */
export interface ModuleFailure {
  readonly message: string
  /** As it may be printed; empty where what was thrown has none. */
  readonly stack: string
}

const printableLines = (text: string): string => text.split("\n").map(printable).join("\n")

/** A stack in lines that are all its own: what the error says is on one of them, whatever names it holds. */
const printableStack = (stack: string, message: string): string => {
  const at = message === "" ? -1 : stack.indexOf(message)
  return at < 0
    ? printableLines(stack)
    : printableLines(stack.slice(0, at)) + printable(message) + printableLines(stack.slice(at + message.length))
}

/** Tells of what the import of `file` threw. */
export const describeModuleError = (file: string, error: unknown): ModuleFailure => {
  // Effect's failures are objects with a message.
  const isTold = typeof error === "object" && error !== null && "message" in error
  if (!(error instanceof Error)) return { message: `it threw ${String(isTold ? error.message : error)}`, stack: "" }
  // It names the module already, and was made here.
  if (error.message.includes(pathToFileURL(file).href)) return { message: error.message, stack: "" }
  const own = error.stack ?? ""
  // V8 keeps the place of a syntax error in JavaScript to itself.
  const stack = error instanceof SyntaxError && placeIn(own) === undefined ? syntaxReport(file) || own : own
  const where = placeIn(stack)
  const what = `${error.name}: ${error.message}`
  return { message: where === undefined ? what : `${what}, at ${where}`, stack: printableStack(stack, error.message) }
}
