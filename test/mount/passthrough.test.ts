/** A served folder that others change as well, on the real kernel. */
import { assert, describe, it } from "@effect/vitest"
import { passthrough, type PassthroughOptions } from "@bickford/backends"
import { errnoNumbers } from "@bickford/protocol"
import type { Backend } from "@bickford/session"
import * as Effect from "effect/Effect"
import { spawn } from "node:child_process"
import * as fs from "node:fs"
import { tmpdir } from "node:os"
import { join } from "node:path"
import { createInterface } from "node:readline"
import { serve } from "./inProcess.ts"

/**
 * A folder with some files, served. `asked` counts how often the kernel wanted entries, `written` the WRITEs that came,
 * `registered` holds what it has by id. A descriptor with a `refusal`, an errno, is not registered.
 */
const start = (options?: PassthroughOptions, refusal: (fd: number) => number = () => 0) =>
  Effect.gen(function* () {
    const folder = yield* Effect.acquireRelease(
      Effect.sync(() => fs.mkdtempSync(join(tmpdir(), "bickford-passthrough-"))),
      (path) => Effect.sync(() => fs.rmSync(path, { recursive: true, force: true }))
    )
    for (const name of ["a", "b", "c"]) fs.writeFileSync(join(folder, name), name)
    const asked = { count: 0 }
    const registered = new Set<number>()
    const registrations = { count: 0 }
    const written = { count: 0 }
    const source = Effect.map(passthrough(folder, options), (backend): Backend => ({
      ...backend,
      init: (negotiated, connection) =>
        backend.init?.(negotiated, {
          ...connection,
          openBacking: (fd) => {
            const refused = refusal(fd)
            const id = refused === 0 ? connection.openBacking(fd) : -refused
            registrations.count++
            if (id > 0) registered.add(id)
            return id
          },
          closeBacking: (id) => {
            assert.isTrue(registered.delete(id), "it was there")
            return connection.closeBacking(id)
          }
        }) ?? Effect.void,
      readdir: (...args: Parameters<NonNullable<typeof backend.readdir>>) => {
        asked.count++
        return backend.readdir?.(...args) ?? Effect.die("no readdir")
      },
      write: (...args: Parameters<NonNullable<typeof backend.write>>) => {
        written.count++
        return backend.write?.(...args) ?? Effect.die("no write")
      }
    }))
    const served = yield* serve(source)
    const list = Effect.map(served.run("ls", [served.mountpoint]), (text) => text.trim().split("\n").join(" "))
    return { ...served, folder, list, asked, registered, registrations, written }
  })

const O_PATH = 0o10000000
const isPath = (fd: number): boolean =>
  (parseInt(/^flags:\s*(\d+)/m.exec(fs.readFileSync(`/proc/self/fdinfo/${fd}`, "utf8"))?.[1] ?? "0", 8) & O_PATH) !== 0

/** How many descriptors of this process, the server's, have a file open. */
const openAt = (path: string): number =>
  fs.readdirSync("/proc/self/fd").filter((fd) => {
    try {
      return fs.readlinkSync(`/proc/self/fd/${fd}`).startsWith(path) && !isPath(Number(fd))
    } catch {
      return false
    }
  }).length

const until = (condition: () => boolean) => Effect.repeat(Effect.sleep(5), { until: condition })

/** Runs a program that says a line and waits to be answered, as often as it likes; fails with what it said as it failed. */
const talk = (command: string, args: ReadonlyArray<string>, heard: (line: string) => void) =>
  Effect.callback<void, Error>((resume) => {
    const child = spawn(command, args, { stdio: ["pipe", "pipe", "pipe"] })
    let errors = ""
    child.stderr.on("data", (data) => (errors += String(data)))
    createInterface(child.stdout).on("line", (line) => {
      heard(line)
      child.stdin.write("\n")
    })
    child.on("close", (code) =>
      resume(code === 0 ? Effect.void : Effect.fail(new Error(`${command}: ${code}: ${errors}`)))
    )
    return Effect.sync(() => child.kill("SIGKILL"))
  })

/** Waits until a change of the folder would show in its times, whatever clock they are of. */
const settled = (folder: string) =>
  Effect.repeat(Effect.sleep(10), { until: () => Date.now() - fs.statSync(folder).ctimeMs > 60 })

describe("a served folder", () => {
  it.live("is listed from the kernel's memory as long as nobody has changed it, and as it is when somebody has", () =>
    Effect.gen(function* () {
      const { asked, folder, list, run, mountpoint } = yield* start()
      yield* settled(folder)
      assert.strictEqual(yield* list, "a b c")
      const once = asked.count
      assert.isAbove(once, 0)
      for (let i = 0; i < 3; i++) assert.strictEqual(yield* list, "a b c")
      assert.strictEqual(asked.count, once, "the kernel had it")
      const times = fs.statSync(folder)
      const changes: ReadonlyArray<readonly [change: () => unknown, then: string]> = [
        [() => fs.writeFileSync(join(folder, "d"), ""), "a b c d"],
        [() => fs.rmSync(join(folder, "a")), "b c d"],
        [() => fs.renameSync(join(folder, "b"), join(folder, "e")), "c d e"],
        [
          () => {
            fs.mkdirSync(join(folder, "f"))
            fs.utimesSync(folder, times.atime, times.mtime)
          },
          "c d e f"
        ]
      ]
      for (const wait of [false, true]) {
        for (const [change, then] of changes) {
          change()
          if (wait) yield* settled(folder)
          assert.strictEqual(yield* list, then)
          assert.strictEqual(yield* list, then)
        }
        fs.rmdirSync(join(folder, "f"))
        fs.rmSync(join(folder, "d"))
        fs.renameSync(join(folder, "e"), join(folder, "b"))
        fs.writeFileSync(join(folder, "a"), "")
      }
      yield* settled(folder)
      assert.strictEqual(yield* list, "a b c")
      yield* run("touch", [join(mountpoint, "mine")])
      assert.strictEqual(yield* list, "a b c mine")
    })
  )

  it.live("that changes while it is listed again and again is never listed as it was before", () =>
    Effect.gen(function* () {
      const { folder, list } = yield* start()
      yield* settled(folder)
      for (let i = 0; i < 60; i++) {
        const name = `n${String(i).padStart(2, "0")}`
        fs.writeFileSync(join(folder, name), "")
        assert.include(yield* list, name)
        fs.rmSync(join(folder, name))
        assert.notInclude(yield* list, name)
      }
    })
  )

  it.live("is registered with the kernel, a file once, as long as its descriptor is held", () =>
    Effect.gen(function* () {
      const { folder, mountpoint, registered, registrations, run } = yield* start({ maxDescriptors: 4 })
      const at = (name: string) => join(mountpoint, name)
      for (let i = 0; i < 4; i++) assert.strictEqual(yield* run("cat", [at("a")]), "a")
      assert.deepStrictEqual([registrations.count, registered.size], [1, 1])
      // Whoever writes to it and has closed it holds nothing more against those who use the folder itself.
      yield* run("sh", ["-c", 'cp /bin/true "$1" && echo >>"$1" && chmod 755 "$1" && "$1"', "sh", at("program")])
      for (const appended of ["", "more"]) {
        yield* run("sh", ["-c", 'echo "$2" >>"$1"', "sh", at("program"), appended])
        // A RELEASE comes when close(2) has returned.
        yield* until(() => openAt(join(folder, "program")) === 0)
        yield* run(join(folder, "program"), [])
      }
      yield* run("sh", [
        "-c",
        'echo text >"$1" && cat "$1" && echo more >>"$1" && cat "$1" "$2"',
        "sh",
        at("b"),
        join(folder, "b")
      ]).pipe(Effect.map((text) => assert.strictEqual(text, "text\ntext\nmore\ntext\nmore\n")))
      assert.strictEqual(yield* run("stat", ["--format=%s", at("b")]), "10\n")
      for (let i = 0; i < 20; i++) fs.writeFileSync(join(folder, `many${i}`), String(i))
      for (let i = 0; i < 20; i++) assert.strictEqual(yield* run("cat", [at(`many${i}`)]), String(i))
      yield* run("ls", ["-l", mountpoint])
      assert.isAtMost(registered.size, 5, "no more than descriptors are held")
      yield* run("rm", [
        "-r",
        at("a"),
        at("b"),
        at("c"),
        at("program"),
        ...Array.from({ length: 20 }, (_, i) => at(`many${i}`))
      ])
      yield* until(() => registered.size === 0)
    })
  )

  it.live("is opened by nobody but the kernel while it is only read, and for everything else all the same", () =>
    Effect.gen(function* () {
      const served = yield* start({ maxDescriptors: 2 })
      // On a filesystem of its own, where files are not found again by their handles.
      const folder = join(served.folder, "other")
      const mountpoint = join(served.mountpoint, "other")
      fs.mkdirSync(folder)
      yield* Effect.acquireRelease(served.run("mount", ["-t", "tmpfs", "none", folder]), () =>
        Effect.orDie(served.run("umount", ["-l", folder]))
      )
      fs.writeFileSync(join(folder, "a"), "0123456789".repeat(1000))
      for (let i = 0; i < 8; i++) fs.writeFileSync(join(folder, `other${i}`), "")
      const readers = () => openAt(join(folder, "a"))
      const program = join(folder, "program.py")
      fs.writeFileSync(
        program,
        `
import mmap, os, sys
at, folder = sys.argv[1:]
def step(name):
    print(name, flush=True)
    sys.stdin.readline()
step("start")
fd = os.open(at + "/a", os.O_RDONLY)
assert os.pread(fd, 10, 9990) == b"0123456789"
assert mmap.mmap(fd, 0, prot=mmap.PROT_READ)[5:8] == b"567"
assert os.fstat(fd).st_size == 10000
step("read")
# Others come and go, and the name is taken away by somebody else: it can only be asked by what is held.
for i in range(8): os.stat(at + "/other%d" % i)
os.unlink(folder + "/a")
assert os.fstat(fd).st_nlink == 0
assert os.lseek(fd, 0, os.SEEK_HOLE) == 10000
os.fsync(fd)
out = os.open(at + "/copy", os.O_RDWR | os.O_CREAT)
assert os.copy_file_range(fd, out, 100, 0, 0) == 100
assert os.pread(out, 100, 0) == b"0123456789" * 10
assert os.pread(fd, 10, 9990) == b"0123456789"
step("asked")
os.close(fd)
os.close(out)
`
      )
      const counts: Record<string, number> = {}
      yield* talk("python3", [program, mountpoint, folder], (line) => {
        counts[line] = readers()
      })
      yield* until(() => readers() === 0)
      assert.deepStrictEqual(counts, { start: 0, read: 0, asked: 1 })
      assert.strictEqual(yield* served.run("cat", [join(mountpoint, "copy")]), "0123456789".repeat(10))
    })
  )

  it.live("is registered while it is open, where the kernel takes no descriptor that is none of an open file", () =>
    Effect.gen(function* () {
      // As a kernel that wants a file that is open.
      const { mountpoint, registered, registrations, run } = yield* start({}, (fd) =>
        isPath(fd) ? errnoNumbers.EBADF : 0
      )
      for (let i = 0; i < 3; i++) {
        assert.strictEqual(yield* run("cat", [join(mountpoint, "a")]), "a")
        yield* until(() => registered.size === 0)
      }
      assert.strictEqual(registrations.count, 4, "asked for the other way once, and then no more")
    })
  )

  it.live("is registered later, when the kernel has had no memory for it", () =>
    Effect.gen(function* () {
      let refusal: number = errnoNumbers.ENOMEM
      const { folder, mountpoint, registered, run } = yield* start({}, () => refusal)
      assert.strictEqual(yield* run("cat", [join(mountpoint, "a")]), "a")
      assert.strictEqual(registered.size, 0)
      refusal = 0
      // While it is open in the kernel's cache, the kernel takes no registration.
      yield* until(() => openAt(join(folder, "a")) === 0)
      assert.strictEqual(yield* run("cat", [join(mountpoint, "a")]), "a")
      assert.strictEqual(registered.size, 1)
    })
  )

  it.live("that is made is written by the kernel if the one before it became large, and else through here", () =>
    Effect.gen(function* () {
      const { folder, mountpoint, registered, registrations, run, written } = yield* start()
      // With noclobber, the shell opens with O_EXCL.
      const make = (name: string, size: number, shell = "-Cc") =>
        run("sh", [shell, 'head -c "$2" /dev/zero >"$1"', "sh", join(mountpoint, name), String(size)]).pipe(
          // A RELEASE comes when close(2) has returned.
          Effect.andThen(until(() => openAt(join(folder, name)) === 0)),
          Effect.map(() => {
            assert.strictEqual(fs.statSync(join(folder, name)).size, size)
            const counts = [registrations.count, written.count > 0]
            registrations.count = written.count = 0
            return counts
          })
        )
      const kernel = [1, false]
      const here = [0, true]
      assert.deepStrictEqual(yield* make("first", 5000), kernel, "nothing is known yet")
      assert.deepStrictEqual(yield* make("second", 100_000), here)
      assert.deepStrictEqual(yield* make("third", 1_000_000), here)
      assert.deepStrictEqual(yield* make("fourth", 10), kernel)
      assert.deepStrictEqual(yield* make("fifth", 10), here)
      assert.deepStrictEqual(yield* make("sixth", 10, "-c"), kernel, "a program's output")
      yield* until(() => registered.size === 0)
    })
  )

  it.live("that is made and written through here is the same for who reads, maps and runs it meanwhile", () =>
    Effect.gen(function* () {
      const { folder, mountpoint, registered, run, written } = yield* start()
      yield* run("sh", ["-Cc", ': >"$1"', "sh", join(mountpoint, "empty")])
      yield* until(() => openAt(join(folder, "empty")) === 0)
      const program = join(folder, "program.py")
      fs.writeFileSync(
        program,
        `
import errno, mmap, os, sys
at = sys.argv[1]
def step(name):
    print(name, flush=True)
    sys.stdin.readline()
out = os.open(at + "/new", os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o755)
os.write(out, b"#!/bin/sh\\n")
os.ftruncate(out, 4096)
fd = os.open(at + "/new", os.O_RDWR)
map = mmap.mmap(fd, 4096)
assert os.pread(fd, 10, 0) == map[:10] == b"#!/bin/sh\\n"
os.write(out, b"exit 7\\n")
assert map[10:17] == b"exit 7\\n"
map[15:16] = b"8"
assert os.pread(fd, 7, 10) == b"exit 8\\n"
try:
    mmap.mmap(out, 4096)
    raise AssertionError("mapped what cannot be read")
except OSError as error: assert error.errno == errno.EACCES
step("both")
os.close(out)
# Answered after the RELEASE, which is before it in the queue.
os.fstat(fd)
step("one")
assert os.pread(fd, 7, 10) == map[10:17]
map.close()
os.close(fd)
assert os.system(at + "/new") >> 8 == 8
`
      )
      const counts: Record<string, number> = {}
      yield* talk("python3", [program, mountpoint], (line) => {
        counts[line] = registered.size
      })
      assert.deepStrictEqual(counts, { both: 1, one: 1 })
      assert.strictEqual(written.count, 2)
      yield* run("rm", [join(mountpoint, "new")])
      yield* until(() => registered.size === 0)
    })
  )
})
