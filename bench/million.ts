/** `npm run million`: a million files in the memory filesystem: the time of the second half of them, and the server's memory. */
import { spawn } from "node:child_process"
import { join } from "node:path"
import { createInterface } from "node:readline"
import { ended } from "../test/mount/processes.ts"
import { compile, contenders } from "./contenders.ts"
import { residentMebibytes } from "./process.ts"
import { serve } from "./served.ts"
import { abortMount, benchFolder, makeWorkplace } from "./workplace.ts"

const count = 1_000_000
const cpu = "1"
/** What we ask: seconds of the second half, over those of the first. */
const atMost = 1.3

interface Phase {
  readonly phase: string
  readonly first: number
  readonly second: number
}

const memory = contenders({ beside: undefined, postgres: undefined }).find(({ name }) => name === "bickford-memory")
if (memory === undefined) throw new Error("there is no memory filesystem")
const workplace = await makeWorkplace()
const program = await compile(join(benchFolder, "programs", "million.c"), "million")
const served = await serve(memory, workplace, cpu)
try {
  const { pid } = served
  if (pid === undefined) throw new Error("there is no server")
  const resident = (): string => `${residentMebibytes(pid).toFixed(0)} MiB resident`
  console.log(`before   ${resident()}`)
  const client = spawn("taskset", ["-c", cpu, program, served.folder, String(count)], {
    stdio: ["pipe", "pipe", "inherit"]
  })
  const watchdog = setTimeout(() => void abortMount(served.folder), 300_000)
  for await (const line of createInterface(client.stdout)) {
    const { first, phase, second }: Phase = JSON.parse(line)
    const ratio = second / first
    if (ratio >= atMost) process.exitCode = 1
    console.log(
      `${phase.padEnd(8)} ${first.toFixed(2)} s and ${second.toFixed(2)} s: ${ratio.toFixed(2)} (${ratio < atMost ? "reached" : "missed"}: ${atMost}); ${resident()}`
    )
    client.stdin.write("\n")
  }
  clearTimeout(watchdog)
  const { status } = await ended(client)
  if (status !== 0) process.exitCode = 1
} finally {
  await served.stop()
  await workplace.remove()
}
