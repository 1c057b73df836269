/**
 * READs answered from a descriptor, spliced and moved, and WRITEs handed on to one, spliced, beside copied, in one run. Prints
 * throughput and CPU time (server and client, per byte) as ratios to copying: the median of the rounds' own.
 * Run as root: `node --conditions=development bench/splice.ts [--rounds N] [--seconds N]`
 */
import type { BackendCapabilities } from "@bickford/protocol"
import { openReplyFlags } from "@bickford/protocol"
import { type Backend, Errno, mount } from "@bickford/session"
import { spawn } from "node:child_process"
import * as Effect from "effect/Effect"
import * as Exit from "effect/Exit"
import { once } from "node:events"
import { mkdirSync, mkdtempSync, openSync, rmSync, writeFileSync } from "node:fs"
import { tmpdir } from "node:os"
import { join } from "node:path"
import { createInterface } from "node:readline"
import { parseArgs } from "node:util"
import { ended, run } from "../test/mount/processes.ts"
import { cpuSeconds } from "./process.ts"
import { median } from "./statistics.ts"
import { abortMount } from "./workplace.ts"

const size = 64 << 20
const ways: Readonly<Record<string, BackendCapabilities>> = {
  copied: {},
  spliced: { spliceWrite: true, spliceRead: true },
  moved: { spliceWrite: true, spliceMove: true }
}
/** What is measured of each operation, beside copying. Only replies are moved. */
const waysOf = { read: ["copied", "spliced", "moved"], write: ["copied", "spliced"] } as const

const client = `
import mmap, os, resource, sys, time
path, block, seconds, operation, kind = sys.argv[1], int(sys.argv[2]), float(sys.argv[3]), sys.argv[4], sys.argv[5]
fd = os.open(path, os.O_RDONLY if operation == "read" else os.O_WRONLY)
size = os.fstat(fd).st_size
# Whole pages: a WRITE of memory that begins within one has a page less.
buffer = memoryview(mmap.mmap(-1, block))
into = [buffer]
call = os.preadv if operation == "read" else os.pwritev
count = 0
start = time.perf_counter()
while time.perf_counter() < start + seconds:
    for _ in range(16):
        call(fd, into, count * block % size)
        count += 1
    if kind == "cached" and operation == "read" and count * block % size == 0:
        os.posix_fadvise(fd, 0, 0, os.POSIX_FADV_DONTNEED)
usage = resource.getrusage(resource.RUSAGE_SELF)
print(count * block / (time.perf_counter() - start), (usage.ru_utime + usage.ru_stime), count * block)
`

/** Serves a file below a mountpoint until it is told to end. */
const serveFile = async (mountpoint: string, original: string, way: string): Promise<void> => {
  const fd = openSync(original, "r+")
  const never = { sec: 1_000_000, nsec: 0 }
  const epoch = { sec: 0, nsec: 0 }
  const attr = (ino: number) => ({
    ino,
    mode: ino === 1 ? 0o40755 : 0o100644,
    size,
    blocks: size / 512,
    nlink: 1,
    uid: 0,
    gid: 0,
    rdev: 0,
    blksize: 4096,
    flags: 0,
    atime: epoch,
    mtime: epoch,
    ctime: epoch
  })
  const nodes: Readonly<Record<string, number>> = { direct: 2, cached: 3 }
  const backend: Backend = {
    capabilities: { ...ways[way], autoInvalData: false },
    getattr: ({ nodeid }) => Exit.succeed({ attrValid: never, attr: attr(Number(nodeid)) }),
    lookup: ({ name }) => {
      const nodeid = typeof name === "string" ? nodes[name] : undefined
      return nodeid === undefined
        ? Errno.ENOENT
        : Exit.succeed({ nodeid, generation: 0, entryValid: never, attrValid: never, attr: attr(nodeid) })
    },
    open: ({ nodeid }) => Exit.succeed({ fh: 0, openFlags: nodeid === 2 ? openReplyFlags.FOPEN_DIRECT_IO : 0 }),
    read: ({ offset, size: length }) => Exit.succeed({ fd, offset, length }),
    writeBuf: ({ data, offset }) => data.spliceTo(fd, offset)
  }
  await Effect.runPromise(
    Effect.scoped(
      Effect.gen(function* () {
        yield* mount({ mountpoint, backend })
        console.log("ready")
        yield* Effect.promise(() => once(process.stdin.resume(), "end"))
      })
    )
  )
}

interface Server {
  readonly name: string
  readonly at: string
  readonly pid: number
}

/** Runs a client on each server in turn, the first being the one that the others are compared with. */
const measure = async (
  servers: ReadonlyArray<Server>,
  argsOf: (at: string) => ReadonlyArray<string>,
  program: string,
  rounds: number
): Promise<ReadonlyArray<string>> => {
  const ratios = new Map(servers.map(({ name }) => [name, { speed: [] as Array<number>, cpu: [] as Array<number> }]))
  for (let round = 0; round < rounds; round++) {
    let base: { readonly speed: number; readonly cpu: number } | undefined
    for (const { at, name, pid } of servers) {
      const start = cpuSeconds(pid)
      const printed = await run(program, argsOf(at), { onTimeout: () => abortMount(at) })
      const [speed = 0, own = 0, bytes = 0] = printed.split(" ").map(Number)
      const now = { speed, cpu: (cpuSeconds(pid) - start + own) / bytes }
      base ??= now
      ratios.get(name)?.speed.push(now.speed / base.speed)
      ratios.get(name)?.cpu.push(now.cpu / base.cpu)
    }
  }
  return Array.from(
    ratios,
    ([name, { cpu, speed }]) => `${name} ${median(speed).toFixed(2)} (CPU ${median(cpu).toFixed(2)})`
  ).slice(1)
}

const main = async (): Promise<void> => {
  const { positionals, values } = parseArgs({
    allowPositionals: true,
    options: { rounds: { type: "string", default: "5" }, seconds: { type: "string", default: "0.5" } }
  })
  const [command, mountpoint = "", original = "", way = ""] = positionals
  if (command === "serve") {
    await serveFile(mountpoint, original, way)
    return
  }
  const folder = mkdtempSync(join(tmpdir(), "bickford-bench-"))
  const file = join(folder, "original")
  writeFileSync(file, Buffer.alloc(size, "x"))
  const measureAll = async (pinned: boolean): Promise<void> => {
    const pin = pinned ? ["taskset", "-c", "1"] : ["env"]
    const [program = "", ...before] = pin
    const servers = await Promise.all(
      Object.keys(ways).map(async (name) => {
        const at = join(folder, `${name}-${pinned}`)
        mkdirSync(at)
        const child = spawn(
          program,
          [
            ...before,
            process.execPath,
            "--conditions=development",
            "--disable-warning=ExperimentalWarning",
            import.meta.filename,
            "serve",
            at,
            file,
            name
          ],
          { stdio: ["pipe", "pipe", "inherit"] }
        )
        const [line] = await Promise.race([once(createInterface(child.stdout), "line"), once(child, "exit")])
        if (line !== "ready") throw new Error(`${at} was not mounted`)
        return { name, at, child, pid: child.pid ?? 0 }
      })
    )
    try {
      for (const operation of ["read", "write"] as const) {
        for (const kind of ["direct", "cached"]) {
          for (const block of [4096, 32_768, 131_072, 1 << 20]) {
            const cells = await measure(
              servers.filter(({ name }) => waysOf[operation].some((way) => way === name)),
              (at) => [
                ...before,
                "python3",
                "-c",
                client,
                join(at, kind),
                String(block),
                values.seconds,
                operation,
                kind
              ],
              program,
              Number(values.rounds)
            )
            console.log(
              `${pinned ? "one CPU " : "all CPUs"} ${operation.padEnd(5)} ${kind.padEnd(6)} ${String(block).padStart(7)}: ${cells.join(", ")}`
            )
          }
        }
      }
    } finally {
      for (const { child } of servers) {
        child.stdin.end()
        await ended(child)
      }
    }
  }
  try {
    await measureAll(true)
    await measureAll(false)
  } finally {
    rmSync(folder, { recursive: true })
  }
}

await main()
