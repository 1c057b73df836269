/** Mounts that several isolates serve, each on the io_uring queue of its CPU: what they do, and what follows when one ends. */
import { assert, describe, it } from "@effect/vitest"
import { passthrough } from "@bickford/backends"
import type { Backend } from "@bickford/session"
import * as Effect from "effect/Effect"
import * as Fiber from "effect/Fiber"
import { mkdtempSync, readdirSync, rmSync, writeFileSync } from "node:fs"
import { tmpdir } from "node:os"
import { join } from "node:path"
import { mountOnRings } from "./enableUring.ts"
import { serve } from "./inProcess.ts"

const served = Effect.acquireRelease(
  Effect.sync(() => mkdtempSync(join(tmpdir(), "bickford-isolates-"))),
  (directory) => Effect.sync(() => rmSync(directory, { recursive: true, force: true }))
)

/** A directory served by one isolate for each CPU. Those see `module` in place of the backend's own. */
const serveByIsolates = (module?: URL) =>
  Effect.gen(function* () {
    const directory = yield* served
    const backend = Effect.map(passthrough(directory, { shared: true }), (kept): Backend => {
      const { shared } = kept
      return module === undefined || shared === undefined
        ? kept
        : { ...kept, shared: { module: module.href, data: shared } }
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

/** How often an isolate is ended under load; more by BICKFORD_DEATHS. */
const deaths = Number(process.env["BICKFORD_DEATHS"] ?? 6)
/** Seconds for which no caller may wait: a backstop for what hangs. */
const patience = 30

const work = `set -e; cd "$1"
for i in 1 2 3 4 5 6 7 8; do mkdir d$i; for j in 1 2 3 4 5; do echo $i.$j > d$i/f$j; done; done
head -c 3000000 /dev/urandom > large; cp large copy; cmp large copy; ln -s large link; cmp link copy
mv d1 moved; [ "$(cat moved/f3)" = 1.3 ]; [ "$(ls d2 | wc -l)" = 5 ]
truncate -s 1000 copy; [ "$(stat -c %s copy)" = 1000 ]
rm -r d? moved; ls | tr '\\n' ' '`

describe("a mount that several isolates serve", () => {
  it.live("does a program's work, from every CPU, and on both at once", () =>
    Effect.gen(function* () {
      const { mountpoint, run } = yield* serveByIsolates()
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
})

/** Works in the mount until there is a file `stop`, whatever is answered; tells each errno that it was given. */
const throughout = `
import errno, os, sys, time
place, name, stop = sys.argv[1:4]
seen, longest = {}, 0.0
def call(function, *arguments):
    global longest
    began = time.monotonic()
    try:
        function(*arguments)
    except OSError as error:
        seen[errno.errorcode[error.errno]] = seen.get(errno.errorcode[error.errno], 0) + 1
    longest = max(longest, time.monotonic() - began)
def write(path):
    with open(path, "w") as file: file.write("text")
def read(path):
    with open(path) as file: file.read()
done = 0
while not os.path.exists(stop):
    path = os.path.join(place, name + str(done % 50))
    for function, arguments in (write, (path,)), (read, (path,)), (os.stat, (path,)), (os.listdir, (place,)), (os.unlink, (path,)):
        call(function, *arguments)
    done += 1
print(done, round(longest, 3), *sorted(f"{name}={count}" for name, count in seen.items()))
`

describe("an isolate that ends", () => {
  for (const [name, how] of [
    ["doom-exit", "by process.exit"],
    ["doom-throw", "by an exception out of turn"]
  ] as const) {
    it.live(`${how}, is started again on its queue, from each CPU, and what it had in hand is EIO`, () =>
      Effect.gen(function* () {
        const { attempt, isolates, mountpoint, run } = yield* serveByIsolates(
          new URL("./programs/doomedIsolate.ts", import.meta.url)
        )
        yield* run("sh", ["-c", 'echo text > "$1/file"', "sh", mountpoint])
        for (const cpu of cpus) {
          yield* attempt("taskset", ["-c", cpu, "stat", join(mountpoint, name)])
          assert.strictEqual(yield* run("taskset", ["-c", cpu, "cat", join(mountpoint, "file")]), "text\n")
        }
        yield* Effect.repeat(Effect.sleep("5 millis"), { until: () => isolates.serving() === cpus.length })
      })
    )
  }

  it.live("under load, over and over: callers get EIO at most, and are answered soon", () =>
    Effect.gen(function* () {
      const { attempt, directory, mountpoint, run } = yield* serveByIsolates(
        new URL("./programs/doomedIsolate.ts", import.meta.url)
      )
      const stop = `${directory}-stop`
      const clients = yield* Effect.forkChild(
        Effect.all(
          ["a", "b", "c", "d"].map((client) => run("python3", ["-c", throughout, mountpoint, client, stop])),
          { concurrency: "unbounded" }
        )
      )
      for (let round = 0; round < deaths; round++) {
        const cpu = cpus[round % cpus.length] ?? "0"
        const name = ["doom-exit", "doom-throw"][round % 2] ?? ""
        yield* attempt("taskset", ["-c", cpu, "stat", join(mountpoint, name)])
      }
      writeFileSync(stop, "")
      const told = yield* Fiber.join(clients)
      rmSync(stop)
      for (const line of told) {
        const [done, longest, ...errors] = line.trim().split(" ")
        assert.isAbove(Number(done), 0)
        assert.isBelow(Number(longest), patience)
        // ECANCELED is what the kernel says for a ring that closes in that moment.
        for (const error of errors) assert.match(error, /^(EIO|ECANCELED|ENOENT)=/, line)
      }
      yield* Effect.sync(() => console.log(told.join("")))
    })
  )
})
