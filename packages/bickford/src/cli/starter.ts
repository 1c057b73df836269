/**
 * Who started this process: the one that put it in the background, and waits for what comes of it, or the one that only
 * looked for a Node, and whose end is this one's. Loads nothing that mounts.
 *
 * Each has a socket of its own, not Node's IPC, which every module in the process could speak by, and close.
 */
import { closeSync, fstatSync, writeSync } from "node:fs"
import { Socket } from "node:net"

/** In the environment of a process that outlives the one that started it: the descriptor to tell that one by. */
export const backgroundMark = "BICKFORD_BACKGROUND"
/** In the environment of a process whose end is to be that of the one that started it: the descriptor that tells of it. */
const wrapperMark = "BICKFORD_WRAPPER"

const isSocket = (descriptor: number): boolean => {
  try {
    return fstatSync(descriptor).isSocket()
  } catch {
    return false
  }
}

/** Takes a mark away, so that no process that this one starts has it. */
const take = (mark: string): number | undefined => {
  const text = process.env[mark] ?? ""
  delete process.env[mark]
  return /^\d{1,7}$/.test(text) && isSocket(Number(text)) ? Number(text) : undefined
}

let starter = take(backgroundMark)
const wrapper = take(wrapperMark)

/** What the process in the background tells the one that started it, once. */
export type Outcome = { readonly mounted: string } | { readonly failed: string }

/** Tells whoever started this process in the background; then nothing holds the two together. */
export const tellStarter = (outcome: Outcome): void => {
  if (starter === undefined) return
  const told = starter
  starter = undefined
  try {
    writeSync(told, `${JSON.stringify(outcome)}\n`)
    closeSync(told)
  } catch {
    // It does not wait any more.
  }
}

/** Calls back when the process that looked for a Node, if there was one, has ended. */
export const onWrapperEnd = (ended: () => void): void => {
  if (wrapper === undefined) return
  const socket = new Socket({ fd: wrapper, readable: true, writable: false })
  // Its end is all that it tells.
  socket.on("error", () => {}).once("close", ended)
  socket.resume().unref()
}
