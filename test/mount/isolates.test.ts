/** Mounts that several isolates serve, each on the io_uring queue of its CPU: what they do, and what follows when one ends. */
import { assert, describe, it } from "@effect/vitest"
import { passthrough, type PassthroughOptions } from "@bickford/backends"
import { type Backend, Errno, observe, servedByIsolates } from "@bickford/session"
import { countIsolates } from "@bickford/transport"
import * as Effect from "effect/Effect"
import * as Fiber from "effect/Fiber"
import * as Logger from "effect/Logger"
import { mkdtempSync, readdirSync, rmSync, writeFileSync } from "node:fs"
import { tmpdir } from "node:os"
import { join } from "node:path"
import { vi } from "vitest"
import { mountOnRings } from "./enableUring.ts"
import { addressSpace, held, openDescriptors } from "./held.ts"
import { isolatesOf, isolateThreads, terminateIsolateOf } from "./isolateThreads.ts"
import { counted } from "./programs/countingIsolate.ts"
import { work } from "./shellWork.ts"
import { serve } from "./inProcess.ts"

vi.mock("../../packages/session/src/isolates/startIsolateThread.ts", () => import("./isolateThreads.ts"))

const served = Effect.acquireRelease(
  Effect.sync(() => mkdtempSync(join(tmpdir(), "bickford-isolates-"))),
  (directory) => Effect.sync(() => rmSync(directory, { recursive: true, force: true }))
)

/** A directory served by one isolate for each CPU. Those see `module` in place of the backend's own, with `data` beside what it gives on. */
const serveByIsolates = (module?: URL, data: object = {}, passthroughOptions: PassthroughOptions = {}) =>
  Effect.gen(function* () {
    const directory = yield* served
    const backend = Effect.map(passthrough(directory, { ...passthroughOptions, shared: true }), (kept): Backend => {
      const { shared } = kept
      return module === undefined || shared === undefined
        ? kept
        : servedByIsolates({ ...kept }, { module: module.href, data: { ...shared, ...data } })
    })
    const options = { threads: "auto", session: { maxRestarts: 1000 } } as const
    const mount = yield* mountOnRings(serve(backend, options))
    const { isolates } = mount.mounted.session.connection
    assert.isDefined(isolates, "several CPUs are needed")
    assert.strictEqual(isolates.serving(), cpus.length)
    return { ...mount, directory, isolates }
  })

const cpus = readdirSync("/sys/devices/system/cpu")
  .filter((name) => /^cpu\d+$/.test(name))
  .map((name) => name.slice(3))

/** Numbers for `countingIsolate.ts`. */
const countsOfCalls = () => new SharedArrayBuffer(4 * Object.keys(counted).length)

const counting = new URL("./programs/countingIsolate.ts", import.meta.url)
const doomed = new URL("./programs/doomedIsolate.ts", import.meta.url)

/** How often an isolate is ended under load; more by BICKFORD_DEATHS. */
const deaths = Number(process.env["BICKFORD_DEATHS"] ?? 6)
/** As many of them happen under the same clients. */
const deathsEach = 8
/** Seconds for which no caller may wait: a backstop for what hangs. */
const patience = 30

describe("a mount that several isolates serve", () => {
  it.live("does a program's work, from every CPU, and on both at once", () =>
    Effect.gen(function* () {
      const { mounted, mountpoint, run } = yield* serveByIsolates()
      assert.strictEqual(yield* countIsolates(process.pid, mounted.device), cpus.length)
      for (const cpu of cpus) {
        const said = yield* run("taskset", ["-c", cpu, "sh", "-c", work, "sh", mountpoint])
        assert.strictEqual(said.trim(), "copy large link")
        yield* run("sh", ["-c", 'rm "$1"/*', "sh", mountpoint])
      }
      yield* Effect.all(
        Array.from({ length: 4 }, (_, n) =>
          Effect.andThen(
            run("mkdir", [join(mountpoint, String(n))]),
            run("sh", ["-c", work, "sh", join(mountpoint, String(n))])
          )
        ),
        { concurrency: 4 }
      )
    })
  )

  it.live("says so to an observer, who is told of none of its requests", () => {
    const said: Array<string> = []
    const logger = Logger.make(({ message }) => void said.push(String(message)))
    return Effect.gen(function* () {
      const { mounted, mountpoint, run } = yield* serveByIsolates()
      said.length = 0
      let told = 0
      yield* observe(mounted.session.connection, { received: () => told++, replied: () => told++ })
      yield* run("ls", [mountpoint])
      assert.strictEqual(told, 0)
      assert.match(said.join("\n"), /an observer is told of no request of this mount: \d+ isolates serve it/)
    }).pipe(Effect.provide(Logger.layer([logger])))
  })

  it.live("is a copy of no other: what replaces an operation of a copy is served, by one thread", () =>
    Effect.gen(function* () {
      const directory = yield* served
      const backend = Effect.map(passthrough(directory, { shared: true }), (kept): Backend => ({
        ...kept,
        lookup: () => Errno.EDQUOT
      }))
      const { attempt, mounted, mountpoint } = yield* mountOnRings(serve(backend, { threads: "auto" }))
      assert.strictEqual(mounted.session.connection.isolates?.serving() ?? 0, 0)
      assert.include((yield* attempt("stat", [join(mountpoint, "file")])).stderr, "quota")
    })
  )
})

it.live("has a spare isolate, whose module has done before it is needed whatever it does first", () =>
  Effect.gen(function* () {
    const calls = countsOfCalls()
    const counts = new Int32Array(calls)
    const { isolates, mountpoint, run } = yield* serveByIsolates(counting, { calls })
    const rest = Effect.repeat(Effect.sleep("5 millis"), {
      until: () => isolates.hasSpare() && isolates.serving() === cpus.length
    })
    yield* rest
    assert.strictEqual(counts[counted.isolates], cpus.length + 1)
    yield* Effect.promise(() => terminateIsolateOf(0))
    yield* run("taskset", ["-c", "0", "stat", mountpoint])
    yield* rest
    assert.strictEqual(counts[counted.isolates], cpus.length + 2)
  })
)

describe("requests that the addon answers", () => {
  /** Has each CPU look at a name a hundred times; what it was told, and how often JavaScript was called for it. */
  const lookOften = (change: string, name: string, passthroughOptions: PassthroughOptions = {}) =>
    Effect.gen(function* () {
      const calls = countsOfCalls()
      const counts = new Int32Array(calls)
      // The kernel asks each time.
      const { attempt, directory, mountpoint, run } = yield* serveByIsolates(
        counting,
        { calls },
        { entryTimeout: 0, attrTimeout: 0, ...passthroughOptions }
      )
      yield* run("sh", ["-c", change, "sh"], { cwd: directory })
      const look = (place: string, cpu: string) =>
        attempt("taskset", ["-c", cpu, "stat", "-c", "%n %i %s %b %f %u %g %h %X %Y %Z %t %T", name], { cwd: place })
      for (const cpu of cpus) yield* look(mountpoint, cpu)
      counts.fill(0)
      const names = Array.from({ length: 100 }, () => name)
      for (const cpu of cpus) yield* attempt("taskset", ["-c", cpu, "stat", ...names], { cwd: mountpoint })
      const asked = [...counts]
      const [seen, there] = [yield* look(mountpoint, "0"), yield* look(directory, "0")]
      assert.strictEqual(seen.stdout, there.stdout)
      assert.strictEqual(seen.stderr, there.stderr)
      return { asked, seen, mountpoint, directory, run, look }
    })

  it.live("LOOKUP and GETATTR are, with what JavaScript would say", () =>
    Effect.gen(function* () {
      const { asked, directory, look, mountpoint, run } = yield* lookOften(
        "mkdir d && echo text > d/file && chmod 4751 d/file && chown 12:34 d/file && touch -d @-5.25 d/file",
        "d/file"
      )
      // Once a second a directory is looked for beneath the root.
      assert.isBelow(Math.max(...asked), 50)
      // What others change meanwhile is seen.
      yield* run("sh", ["-c", "echo more >> d/file"], { cwd: directory })
      assert.include((yield* look(mountpoint, "0")).stdout, " 10 ")
      yield* run("rm", ["d/file"], { cwd: directory })
      assert.include((yield* look(mountpoint, "0")).stderr, "No such file")
    })
  )

  it.live("and OPEN and RELEASE of what is only read are, once a file was opened so", () =>
    Effect.gen(function* () {
      const calls = countsOfCalls()
      const counts = new Int32Array(calls)
      const { directory, isolates, mountpoint, run } = yield* serveByIsolates(counting, { calls })
      writeFileSync(join(directory, "file"), "text\n")
      const files = Array.from({ length: 100 }, () => "file")
      const cat = (cpu: string) => run("taskset", ["-c", cpu, "cat", ...files], { cwd: mountpoint })
      for (const cpu of cpus) yield* cat(cpu)
      counts.fill(0)
      for (const cpu of cpus) assert.strictEqual(yield* cat(cpu), "text\n".repeat(100))
      assert.isBelow(counts[counted.open] ?? 0, 10)
      assert.isBelow(counts[counted.release] ?? 0, 10)
      // What writes is opened, and seen to, as ever.
      yield* run("sh", ["-c", "exec 3<file; echo more >> file; cat <&3; rm file; cat /proc/self/fd/3; exec 3<&-"], {
        cwd: mountpoint
      }).pipe(Effect.map((said) => assert.strictEqual(said, "text\nmore\ntext\nmore\n")))
      assert.isAtLeast(counts[counted.open] ?? 0, 1)
      assert.strictEqual(isolates.serving(), cpus.length)
    })
  )

  it.live("and UNLINK, RMDIR, and RELEASE of new files are", () =>
    Effect.gen(function* () {
      const calls = countsOfCalls()
      const counts = new Int32Array(calls)
      const { directory, mountpoint, run } = yield* serveByIsolates(counting, { calls })
      yield* run("mkdir", ["-p", "d/e"], { cwd: mountpoint })
      const change =
        "set -C; cd d/e && for n in $(seq 50); do echo text > f$n; mkdir d$n; done && cat f7 && rm f* && rmdir d* && ls -A"
      for (const cpu of cpus) {
        assert.strictEqual(yield* run("taskset", ["-c", cpu, "sh", "-c", change], { cwd: mountpoint }), "text\n")
        assert.deepStrictEqual(readdirSync(join(directory, "d/e")), [])
      }
      for (const operation of ["release", "unlink", "rmdir"] as const)
        assert.isBelow(counts[counted[operation]] ?? 0, 10 * cpus.length, operation)
    })
  )

  it.live("remove no name of a directory that others have put another one in the place of", () =>
    Effect.gen(function* () {
      const { directory, mountpoint, run } = yield* serveByIsolates(undefined, {}, { entryTimeout: 3600 })
      for (const [name, tool] of [
        ["file", "rm"],
        ["sub", "rmdir"]
      ] as const) {
        for (const cpu of cpus) {
          // Each its own: the kernel trusts names for long.
          const d = `${name}${cpu}`
          yield* run("sh", ["-c", `mkdir -p ${d}/e/sub && echo old > ${d}/e/file`], { cwd: directory })
          const at = { cwd: mountpoint }
          const known = `stat ${d}/e/file ${d}/e/sub; touch ${d}/e/more; rm ${d}/e/more`
          yield* run("taskset", ["-c", cpu, "sh", "-c", known], at)
          yield* run("sh", ["-c", `mv ${d} ${d}moved && mkdir -p ${d}/e/sub && echo new > ${d}/e/file`], {
            cwd: directory
          })
          yield* run("taskset", ["-c", cpu, tool, `${d}/e/${name}`], at)
          assert.include(readdirSync(join(directory, `${d}moved/e`)), name)
          assert.notInclude(readdirSync(join(directory, `${d}/e`)), name)
        }
      }
    })
  )

  it.live("refuse what the system refuses", () =>
    Effect.gen(function* () {
      const { attempt, directory, mountpoint, run } = yield* serveByIsolates()
      yield* run("sh", ["-c", "mkdir -p d/full && touch d/full/file"], { cwd: directory })
      for (const cpu of cpus) {
        const told = (command: string) =>
          Effect.map(attempt("taskset", ["-c", cpu, "sh", "-c", command], { cwd: mountpoint }), ({ stderr }) => stderr)
        assert.include(yield* told("rmdir d/full"), "not empty")
        assert.include(yield* told("rmdir d/full/file"), "Not a directory")
        assert.include(yield* told("unlink d/full"), "Is a directory")
        assert.include(yield* told("unlink d/none"), "No such file")
      }
    })
  )

  it.live("of a name that is not there: ENOENT", () =>
    Effect.gen(function* () {
      const { asked, seen } = yield* lookOften("true", "none")
      assert.include(seen.stderr, "No such file")
      assert.deepStrictEqual(asked[0], 0)
    })
  )

  it.live("are JavaScript's where ids are others", () =>
    Effect.gen(function* () {
      const { asked } = yield* lookOften("echo text > file", "file", {
        uids: [{ inside: 0, outside: 0, count: 65536 }]
      })
      assert.isAtLeast(asked[0] ?? 0, 100 * cpus.length)
    })
  )
})

/** How often a mount is made and ended; more by BICKFORD_MOUNTS. */
const mounts = Number(process.env["BICKFORD_MOUNTS"] ?? 25)

it.live("that has ended leaves no descriptor, no mapping and no thread", () =>
  Effect.gen(function* () {
    const once = Effect.scoped(
      Effect.gen(function* () {
        const { mountpoint, run } = yield* serveByIsolates()
        yield* run("sh", ["-c", 'echo text > "$1/file"', "sh", mountpoint])
      })
    )
    yield* once
    const before = { ...held(), all: openDescriptors() }
    const space = addressSpace()
    for (let n = 0; n < mounts; n++) yield* once
    yield* Effect.repeat(Effect.sleep("5 millis"), { until: () => isolateThreads.size === 0 })
    assert.deepStrictEqual({ ...held(), all: openDescriptors() }, before)
    const grown = addressSpace() - space
    console.log(`${mounts} mounts: the address space has grown by ${Math.round(grown / 2 ** 20)} MiB`)
    // A mount's entries alone have 8 MiB for each CPU.
    assert.isBelow(grown, mounts * 2 ** 22 * cpus.length)
  })
)

/**
 * Works in the mount until there is a file `stop`, or its test is gone, whatever is answered. Tells, as JSON, how many rounds it made, the longest call in
 * seconds, how often each errno was given, and what a call gave that was neither an errno nor right.
 */
const throughout = `
import collections, errno, json, os, sys, time
place, name, stop = sys.argv[1:4]
parent = os.getppid()
seen, longest, wrong = collections.Counter(), (0.0, ""), []
def call(function, *arguments):
    global longest
    began = time.monotonic()
    try:
        return function(*arguments)
    except OSError as error:
        seen[errno.errorcode[error.errno]] += 1
    finally:
        longest = max(longest, (time.monotonic() - began, function.__name__))
done = 0
while not os.path.exists(stop) and os.getppid() == parent:
    path = os.path.join(place, name + str(done % 50))
    file = call(os.open, path, os.O_RDWR | os.O_CREAT | os.O_TRUNC, 0o600)
    if file is not None:
        written = call(os.write, file, path.encode())
        told = call(os.stat, path)
        if written is not None and told is not None and told.st_size != written: wrong.append(f"{path} has {told.st_size} bytes")
        call(os.close, file)
        file = call(os.open, path, os.O_RDONLY)
        if file is not None:
            got = call(os.read, file, 1000)
            if written is not None and got is not None and got != path.encode(): wrong.append(f"{path} holds {got}")
            call(os.close, file)
    call(os.listdir, place)
    call(os.unlink, path)
    done += 1
print(json.dumps({"done": done, "longest": longest[0], "of": longest[1], "errors": seen, "wrong": wrong}))
`

interface Told {
  readonly done: number
  readonly longest: number
  readonly of: string
  readonly errors: { readonly [name: string]: number }
  readonly wrong: ReadonlyArray<string>
}

/** The ways in which an isolate is ended: by a name that it looks up, or from outside. */
const ways = ["doom-exit", "terminate", "doom-throw", "doom-memory"] as const

/** How an isolate was ended, and the milliseconds until its thread was gone, and from then on until another served its queue. */
interface Death {
  readonly way: (typeof ways)[number]
  readonly dying: number
  readonly back: number
}

/** The middle and the largest of the milliseconds of both parts. */
const partsOf = (deaths: ReadonlyArray<Death>): string => {
  const told = (part: "dying" | "back"): string => {
    const sorted = deaths.map((death) => death[part]).toSorted((one, other) => one - other)
    return `${part} ${Math.round(sorted[sorted.length >> 1] ?? 0)} ms, at most ${Math.round(sorted.at(-1) ?? 0)} ms`
  }
  return `${told("dying")}; ${told("back")}`
}

const until = (condition: () => boolean) => Effect.repeat(Effect.sleep("5 millis"), { until: () => condition() })

describe("an isolate that ends", () => {
  for (const [name, how] of [
    ["doom-exit", "by process.exit"],
    ["doom-throw", "by an exception out of turn"],
    ["doom-memory", "when its memory is used up"]
  ] as const) {
    it.live(`${how}, is started again on its queue, from each CPU, and what it had in hand is EIO`, () =>
      Effect.gen(function* () {
        const { attempt, isolates, mountpoint, run } = yield* serveByIsolates(doomed)
        yield* run("sh", ["-c", 'echo text > "$1/file"', "sh", mountpoint])
        for (const cpu of cpus) {
          const { stderr } = yield* attempt("taskset", ["-c", cpu, "stat", join(mountpoint, name)])
          if (name !== "doom-throw") assert.include(stderr, "Input/output error")
          const read = attempt("taskset", ["-c", cpu, "cat", join(mountpoint, "file")])
          let seen = yield* read
          // What is thrown later finds the first answer given, and may find the next call in hand.
          if (name === "doom-throw" && seen.status !== 0) {
            assert.include(seen.stderr, "Input/output error")
            seen = yield* read
          }
          assert.strictEqual(seen.stdout, "text\n")
        }
        yield* Effect.repeat(Effect.sleep("5 millis"), { until: () => isolates.serving() === cpus.length })
      })
    )
  }

  it.live("under load, over and over, in each way: callers get EIO at most, and are answered soon", () =>
    Effect.gen(function* () {
      const { attempt, directory, isolates, mountpoint, run } = yield* serveByIsolates(doomed)
      const stop = `${directory}-stop`
      const told: Array<Told> = []
      const took: Array<Death> = []
      const end = (round: number) => {
        const cpu = cpus[round % cpus.length] ?? "0"
        const way = ways[Math.floor(round / cpus.length) % ways.length] ?? "terminate"
        return Effect.gen(function* () {
          // The next death comes when there is somebody to take the dead one's place.
          yield* until(() => isolates.hasSpare() && isolates.serving() === cpus.length)
          const [thread] = isolatesOf(Number(cpu))
          assert.isDefined(thread)
          const began = performance.now()
          const dead = new Promise<number>((done) => thread.once("exit", () => done(performance.now())))
          if (way === "terminate") yield* Effect.promise(() => thread.terminate())
          else yield* attempt("taskset", ["-c", cpu, "stat", join(mountpoint, way)])
          // What is thrown out of turn ends the thread later than the call.
          const died = yield* Effect.promise(() => dead)
          yield* until(() => isolatesOf(Number(cpu)).length > 0 && isolates.serving() === cpus.length)
          took.push({ way, dying: died - began, back: performance.now() - died })
        })
      }
      for (let first = 0; first < deaths; first += deathsEach) {
        const clients = yield* Effect.forkChild(
          Effect.all(
            ["a", "b", "c", "d"].map((client) => run("python3", ["-c", throughout, mountpoint, client, stop])),
            { concurrency: "unbounded" }
          )
        )
        for (let round = first; round < Math.min(first + deathsEach, deaths); round++) yield* end(round)
        writeFileSync(stop, "")
        told.push(...(yield* Fiber.join(clients)).map((text): Told => JSON.parse(text)))
        rmSync(stop)
      }
      for (const { done, errors, longest, wrong } of told) {
        assert.isAbove(done, 0)
        assert.isBelow(longest, patience)
        assert.deepStrictEqual(wrong, [])
        // ECANCELED is what the kernel says for a ring that closes in that moment; ENOENT follows a call that failed.
        for (const error of Object.keys(errors)) assert.match(error, /^(EIO|ECANCELED|ENOENT)$/)
      }
      const longest = told.reduce((one, other) => (one.longest > other.longest ? one : other))
      console.log(
        `${deaths} deaths: longest call ${longest.longest.toFixed(3)} s (${longest.of})`,
        JSON.stringify(told)
      )
      for (const way of ways) console.log(way, partsOf(took.filter((death) => death.way === way)))
    })
  )
})
