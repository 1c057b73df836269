/** What this process holds, for tests of what a mount leaves behind. */
import { readdirSync, readFileSync, readlinkSync } from "node:fs"

const isRing = (name: string): boolean => {
  try {
    return readlinkSync(`/proc/self/fd/${name}`).includes("io_uring")
  } catch {
    return false
  }
}

/** Descriptors and mappings of io_uring, and threads of this process; libuv has some of each. */
export const held = () => ({
  descriptors: readdirSync("/proc/self/fd").filter(isRing).length,
  mappings: readFileSync("/proc/self/maps", "latin1")
    .split("\n")
    .filter((line) => line.includes("io_uring")).length,
  threads: readdirSync("/proc/self/task").length
})

/** All descriptors of this process. */
export const openDescriptors = (): number => readdirSync("/proc/self/fd").length

/** Bytes of this process's address space. */
export const addressSpace = (): number =>
  Number(/^VmSize:\s+(\d+) kB$/m.exec(readFileSync("/proc/self/status", "latin1"))?.[1]) * 1024
