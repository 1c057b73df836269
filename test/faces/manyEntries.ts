/**
 * A zip of 100,000 files on a mount: how long the mount takes beside reading the archive's directory, what an entry takes of memory,
 * that `find` and `grep -r` come to an end, and what becomes of a damaged file. Prints the table of docs/faces.md.
 *
 * `node --conditions=development test/faces/manyEntries.ts`
 */
import { zip } from "@bickford/faces"
import { mount } from "bickford"
import { spawn } from "node:child_process"
import { once } from "node:events"
import { mkdtemp, open, readFile, rm } from "node:fs/promises"
import { tmpdir } from "node:os"
import { join } from "node:path"
import { performance } from "node:perf_hooks"
import { createInterface } from "node:readline"
import { fileURLToPath } from "node:url"
import { root } from "../mount/bickford.ts"
import { attempt, run } from "../mount/processes.ts"

const entries = 100_000
const runs = 5

const makeArchive = `
import sys, zipfile
with zipfile.ZipFile(sys.argv[1], "w", zipfile.ZIP_DEFLATED) as out:
    for n in range(int(sys.argv[2])):
        out.writestr("directory-%d/a-file-with-a-name-%d.txt" % (n // 100, n), "text of file %d\\n" % n * 3)
`

/** A line of JSON to whoever started this process. */
const say = (value: unknown): void => void process.stdout.write(`${JSON.stringify(value)}\n`)

const used = (): number => {
  globalThis.gc?.()
  const { arrayBuffers, heapUsed } = process.memoryUsage()
  return heapUsed + arrayBuffers
}

/** In a process of its own: mounts the archive, and tells what that took. */
const serve = async (file: string, mountpoint: string): Promise<void> => {
  const before = used()
  const begun = performance.now()
  const mounted = await mount(mountpoint, zip(file))
  const milliseconds = performance.now() - begun
  const perEntry = (): number => (used() - before) / entries
  say({ milliseconds, bytes: perEntry() })
  process.stdin.on("data", () => say({ bytes: perEntry() })).on("end", () => void mounted.unmount())
  await mounted.ended
}

const directoryReader = join(root, "packages", "faces", "test", "readDirectory.ts")
const self = fileURLToPath(import.meta.url)

const node = (program: string, ...args: ReadonlyArray<string>) => {
  const flags = ["--conditions=development", "--disable-warning=ExperimentalWarning", "--expose-gc"]
  const child = spawn(process.execPath, [...flags, program, ...args], { cwd: "/" })
  let log = ""
  child.stderr.setEncoding("utf8").on("data", (text: string) => (log += text))
  const lines = createInterface({ input: child.stdout })[Symbol.asyncIterator]()
  return {
    child,
    log: () => log,
    line: async (): Promise<Record<string, number>> => {
      const { done, value } = await lines.next()
      if (done === true) throw new Error(log)
      return JSON.parse(value)
    }
  }
}

interface Server {
  readonly mountpoint: string
  /** What the mount took. */
  readonly told: Record<string, number>
  readonly log: () => string
  /** Bytes an entry, now. */
  readonly memory: () => Promise<number>
}

const withServer = async <A>(file: string, body: (server: Server) => Promise<A>): Promise<A> => {
  const mountpoint = await mkdtemp(join(tmpdir(), "bickford-entries-"))
  const { child, line, log } = node(self, "serve", file, mountpoint)
  const ended = once(child, "exit")
  try {
    const told = await line()
    const memory = async (): Promise<number> => {
      child.stdin.write("memory\n")
      return (await line())["bytes"] ?? Number.NaN
    }
    return await body({ mountpoint, told, log, memory })
  } finally {
    child.stdin.end()
    await ended
    await attempt("umount", ["-l", mountpoint])
    await rm(mountpoint, { recursive: true, force: true })
  }
}

const median = (values: ReadonlyArray<number>): number =>
  values.toSorted((a, b) => a - b)[Math.floor(values.length / 2)] ?? Number.NaN

const timed = async <A>(body: () => Promise<A>): Promise<readonly [milliseconds: number, A]> => {
  const begun = performance.now()
  const value = await body()
  return [performance.now() - begun, value]
}

const row = (what: string, value: string): void => console.log(`| ${what} | ${value} |`)
const seconds = (milliseconds: number): string => `${(milliseconds / 1000).toFixed(2)} s`

/** Changes a byte of what one file is packed into. */
const damage = async (file: string): Promise<string> => {
  const name = "directory-500/a-file-with-a-name-50000.txt"
  const bytes = await readFile(file)
  const at = bytes.indexOf(name) + name.length + 10
  const handle = await open(file, "r+")
  await handle.write(Buffer.from([(bytes[at] ?? 0) ^ 0xff]), 0, 1, at)
  await handle.close()
  return name
}

const measure = async (file: string): Promise<void> => {
  await run("python3", ["-c", makeArchive, file, String(entries)])
  const [alone, mounts, bytes] = [[], [], []] as [Array<number>, Array<number>, Array<number>]
  for (let at = 0; at < runs; at++) {
    alone.push((await node(directoryReader, file).line())["milliseconds"] ?? Number.NaN)
    await withServer(file, async ({ told }) => {
      mounts.push(told["milliseconds"] ?? Number.NaN)
      bytes.push(told["bytes"] ?? Number.NaN)
    })
  }
  row("reading its directory, with yauzl alone", seconds(median(alone)))
  row("mounting it", seconds(median(mounts)))
  row("beyond reading its directory", seconds(median(mounts) - median(alone)))
  row("memory, an entry", `${Math.round(median(bytes))} bytes`)
  await withServer(file, async ({ memory, mountpoint }) => {
    const [find, found] = await timed(() => run("sh", ["-c", 'find "$1" -type f | wc -l', "sh", mountpoint]))
    row("`find`", `${seconds(find)}, ${found.trim()} files`)
    const [grep, matched] = await timed(() => run("sh", ["-c", 'grep -r "file 9999" "$1" | wc -l', "sh", mountpoint]))
    row("`grep -r`", `${seconds(grep)}, ${matched.trim()} lines`)
    row("memory then, an entry, while the kernel knows them all", `${Math.round(await memory())} bytes`)
  })
  const name = await damage(file)
  await withServer(file, async ({ log, mountpoint }) => {
    const { stderr, status } = await attempt("cat", [join(mountpoint, name)])
    row("a damaged file", `status ${status}: ${stderr.trim().replace(mountpoint, "mnt")}`)
    const grep = await attempt("sh", ["-c", 'grep -r "file 9999" "$1" | wc -l', "sh", mountpoint])
    row("`grep -r` then", `${grep.stdout.trim()} lines; ${grep.stderr.trim().replace(mountpoint, "mnt")}`)
    row("the log", log().trim().split("\n").at(-1) ?? "")
  })
}

const [role, ...args] = process.argv.slice(2)
if (role === "serve") await serve(args[0] ?? "", args[1] ?? "")
else {
  const folder = await mkdtemp(join(tmpdir(), "bickford-entries-"))
  try {
    await measure(join(folder, "archive.zip"))
  } finally {
    await rm(folder, { recursive: true, force: true })
  }
}
