/** What the kernel knows of a process: proc(5). */
import { readdirSync, readFileSync } from "node:fs"

/** USER_HZ, in which /proc/PID/stat counts. */
const ticksPerSecond = 100

/** CPU seconds of all threads so far, user and system. */
export const cpuSeconds = (pid: number): number => {
  const stat = readFileSync(`/proc/${pid}/stat`, "latin1")
  // The name may hold anything but ends with the last parenthesis.
  const fields = stat.slice(stat.lastIndexOf(")") + 2).split(" ")
  return (Number(fields[11]) + Number(fields[12])) / ticksPerSecond
}

/** CPU time of all threads that live, in nanoseconds, as the scheduler has it. */
export const cpuNanoseconds = (pid: number): number =>
  readdirSync(`/proc/${pid}/task`).reduce((sum, thread) => {
    const [ran = "0"] = readFileSync(`/proc/${pid}/task/${thread}/schedstat`, "latin1").split(" ")
    return sum + Number(ran)
  }, 0)

/** Resident memory, MiB. */
export const residentMebibytes = (pid: number): number => {
  const kibibytes = /^VmRSS:\s+(\d+) kB$/m.exec(readFileSync(`/proc/${pid}/status`, "latin1"))?.[1]
  return Number(kibibytes) / 1024
}
