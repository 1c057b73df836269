/** Filesystems written as callbacks by path, trees of objects, and combinators, on a real mount. */
import { assert, describe, it } from "@effect/vitest"
import type { LogEntry } from "@bickford/backends"
import { FakeKernel } from "@bickford/session/testing"
import { findMount } from "@bickford/transport"
import {
  Errno,
  fileType,
  folder,
  Lifecycle,
  memory,
  MountFailure,
  PathFilesystem,
  readOnly,
  tree,
  withFaults,
  withLog
} from "bickford"
import * as Effect from "effect/Effect"
import * as Stream from "effect/Stream"
import { rm, symlink } from "node:fs/promises"
import { basename, join } from "node:path"
import { memoryPaths } from "../path/memoryPaths.ts"
import { cleanUp, makeMountpoint } from "./bickford.ts"
import { serve } from "./inProcess.ts"
import { attempt, run } from "./processes.ts"

describe("a path filesystem", () => {
  it.live("answers with values, Promises and Effects, and fails with errnos however they are said", () =>
    Effect.gen(function* () {
      const failures: { readonly [name: string]: () => unknown } = {
        "/errno": () => {
          throw Errno.EACCES
        },
        "/effect": () => Errno.EMLINK,
        "/promise": () => Promise.reject(Object.assign(new Error("no"), { code: "EXDEV" })),
        "/number": () => {
          throw 28
        },
        "/defect": () => {
          throw new Error("a bug")
        }
      }
      const { attempt, mountpoint, run } = yield* serve(
        PathFilesystem.make({
          getattr: (path) => {
            if (path === "/") return { mode: fileType.dir | 0o755 }
            if (path === "/value") return { mode: fileType.reg | 0o644, size: 5 }
            if (path === "/later") return Promise.resolve({ mode: fileType.reg | 0o644, size: 5 })
            if (path === "/stream") return Effect.succeed({ mode: fileType.reg | 0o644 })
            // As a callback in JavaScript may answer.
            return (failures[path]?.() ?? false) as false
          },
          readdir: () => Promise.resolve(["value", "later", "stream"]),
          read: (_handle, size, offset, path) =>
            (path === "/stream" ? "without a size\n" : "hello").slice(Number(offset), Number(offset) + size)
        })
      )
      assert.strictEqual(yield* run("ls", [mountpoint]), "later\nstream\nvalue\n")
      assert.strictEqual(
        yield* run(
          "cat",
          ["value", "later", "stream"].map((name) => join(mountpoint, name))
        ),
        "hellohellowithout a size\n"
      )
      const said = {
        none: "No such file",
        errno: "Permission denied",
        effect: "Too many links",
        promise: "cross-device",
        number: "No space left",
        defect: "Input/output error"
      }
      for (const [name, words] of Object.entries(said)) {
        assert.include(
          (yield* attempt("stat", [join(mountpoint, name)])).stderr.toLowerCase(),
          words.toLowerCase(),
          name
        )
      }
    })
  )

  it.live("nodes follow their files through renames, links and removals; every open has one release", () =>
    Effect.gen(function* () {
      const log: Array<string> = []
      const { mountpoint, run } = yield* serve(memoryPaths({ log: (line) => log.push(line) }))
      const script = `
        cd "$1"; mkdir -p a/b; echo one > a/b/file; exec 3< a/b/file
        mv a c; read line <&3; echo "$line"; cat c/b/file
        ln c/b/file link; [ $(stat -c %i link) = $(stat -c %i c/b/file) ] && stat -c %h link
        echo more >> link; cat c/b/file
        exec 4< link; rm link c/b/file; ls -A c/b; cat <&4; exec 4<&-; ls -A c/b
        ln -s target sym; readlink sym; mv sym other; readlink other
        mkdir x; mv -T c/b x; ! test -e c/b; exec 3<&-; until rmdir x 2>/dev/null; do :; done; echo end`
      assert.strictEqual(
        yield* run("sh", ["-ec", script, "sh", mountpoint]).pipe(
          Effect.catchDefect((defect) => Effect.succeed(String(defect)))
        ),
        "one\none\n2\none\nmore\none\nmore\ntarget\ntarget\nend\n"
      )
      yield* run("sync", ["-f", mountpoint])
      const opens = log.filter((line) => line.startsWith("open")).length
      yield* Effect.repeat(Effect.yieldNow, {
        until: () => log.filter((line) => line.startsWith("release")).length === opens
      })
    })
  )

  it.live("holds a real tree: cp -a and diff -r", () =>
    Effect.gen(function* () {
      const { mountpoint, run } = yield* serve(memoryPaths())
      const source = join(import.meta.dirname, "..", "..", "packages", "session", "src")
      yield* run("cp", ["-r", source, join(mountpoint, "copy")])
      yield* run("diff", ["-r", source, join(mountpoint, "copy")])
      yield* run("rm", ["-r", join(mountpoint, "copy")])
      assert.strictEqual(yield* run("ls", ["-A", mountpoint]), "")
    })
  )
})

describe("a tree", () => {
  it.live("serves objects, functions, streams and folders that are listed when looked at", () =>
    Effect.gen(function* () {
      let looks = 0
      const { attempt, mountpoint, run } = yield* serve(
        tree({
          text: "text\n",
          bytes: new Uint8Array([97, 10]),
          now: () => `asked ${++looks} times\n`,
          later: () => Promise.resolve("promised\n"),
          stream: Stream.make("a ", "stream\n"),
          folder: { inner: () => Effect.succeed("an effect\n") },
          lazy: folder(() =>
            Promise.resolve(Object.fromEntries(Array.from({ length: 3 }, (_, n) => [`n${n}`, String(n)])))
          )
        })
      )
      const cat = (...names: ReadonlyArray<string>) =>
        run(
          "cat",
          names.map((name) => join(mountpoint, name))
        )
      assert.strictEqual(
        yield* cat("text", "bytes", "later", "stream", "folder/inner"),
        "text\na\npromised\na stream\nan effect\n"
      )
      assert.strictEqual(yield* cat("now"), "asked 1 times\n")
      assert.strictEqual(yield* cat("now"), "asked 2 times\n")
      assert.strictEqual(yield* run("ls", [join(mountpoint, "lazy")]), "n0\nn1\nn2\n")
      assert.strictEqual(yield* cat("lazy/n2"), "2")
      assert.include(
        (yield* attempt("sh", ["-c", 'echo x > "$1"', "sh", join(mountpoint, "text")])).stderr,
        "Read-only"
      )
      assert.include((yield* attempt("stat", [join(mountpoint, "toString")])).stderr, "No such file")
    })
  )
})

describe("a stream in a tree", () => {
  const line = `${"x".repeat(1023)}\n`

  it.live("is read as far as somebody asks: head of an endless one ends, and the stream with it", () =>
    Effect.gen(function* () {
      let taken = 0
      let running = 0
      const endless = Stream.fromEffectRepeat(
        Effect.sync(() => {
          taken++
          return line
        })
      ).pipe(Stream.ensuring(Effect.sync(() => running--)), Stream.onStart(Effect.sync(() => running++)))
      const { mounted, mountpoint, run } = yield* serve(tree({ endless: () => endless }))
      const file = join(mountpoint, "endless")
      assert.strictEqual(yield* run("head", ["-n", "2", file]), line.repeat(2))
      assert.isBelow(taken, 1000)
      // 32 MiB behind its beginning, and back again, which runs it anew.
      const there =
        "import os,sys; fd=os.open(sys.argv[1],0); a=os.pread(fd,2048,32<<20); b=os.pread(fd,1024,0); sys.exit(a[-1024:]!=b or len(b)!=1024)"
      yield* run("python3", ["-c", there, file])
      assert.isAtLeast(taken, (32 << 20) / line.length)
      yield* mounted.unmount()
      yield* mounted.awaitEnd
      assert.strictEqual(running, 0)
    })
  )

  it.live("one that fails is EIO where it fails, and whoever reads the file again has it run anew", () =>
    Effect.gen(function* () {
      let runs = 0
      const failing = Stream.concat(
        Stream.make(line),
        Stream.fromEffect(
          Effect.suspend(() => (++runs === 1 ? Effect.die("the source is gone") : Effect.succeed("end\n")))
        )
      )
      const { attempt, mountpoint, run } = yield* serve(tree({ failing }))
      const first = yield* attempt("cat", [join(mountpoint, "failing")])
      assert.strictEqual(first.stdout, line)
      assert.include(first.stderr, "Input/output error")
      assert.strictEqual(yield* run("cat", [join(mountpoint, "failing")]), `${line}end\n`)
    })
  )
})

describe("combinators", () => {
  it.live("readOnly refuses changes and lets reads through", () =>
    Effect.gen(function* () {
      const kept = memory()
      const writable = yield* serve(kept)
      yield* writable.run("sh", ["-c", 'echo text > "$1/file"', "sh", writable.mountpoint])
      yield* writable.mounted.unmount()
      const { attempt, mountpoint, run } = yield* serve(readOnly(kept))
      assert.strictEqual(yield* run("cat", [join(mountpoint, "file")]), "text\n")
      for (const command of [
        "echo x > file",
        "echo x >> file",
        "rm file",
        "mkdir a",
        "ln file b",
        "mv file c",
        "chmod 600 file",
        "touch file"
      ]) {
        assert.include(
          (yield* attempt("sh", ["-c", `cd "$1" && ${command}`, "sh", mountpoint])).stderr,
          "Read-only file system",
          command
        )
      }
    })
  )

  it.live("withFaults injects what it is told to, withLog tells what was asked", () =>
    Effect.gen(function* () {
      const log: Array<LogEntry> = []
      const faulty = withFaults(memory(), [
        { operations: ["mkdir"], fault: { errno: "EDQUOT" } },
        { operations: ["symlink"], fault: { crash: "a bug" } },
        {
          operations: ["create"],
          when: (request) => "name" in request && request.name === "slow",
          fault: { delay: "20 millis" }
        },
        { operations: ["unlink"], path: "/slow", times: 1, fault: { errno: "EIO" } },
        { operations: ["unlink"], path: /^\/other/, fault: { errno: "ENOSPC" } }
      ])
      const { attempt, mountpoint, run } = yield* serve(withLog(faulty, (entry) => log.push(entry)))
      assert.include((yield* attempt("mkdir", [join(mountpoint, "a")])).stderr, "quota")
      assert.include((yield* attempt("ln", ["-s", "x", join(mountpoint, "a")])).stderr, "Input/output error")
      yield* run("touch", [join(mountpoint, "slow")])
      assert.include((yield* attempt("rm", [join(mountpoint, "slow")])).stderr, "Input/output error")
      yield* run("mv", [join(mountpoint, "slow"), join(mountpoint, "other")])
      assert.include((yield* attempt("rm", [join(mountpoint, "other")])).stderr, "No space")
      yield* run("mv", [join(mountpoint, "other"), join(mountpoint, "slow")])
      yield* run("rm", [join(mountpoint, "slow")])
      const of = (operation: string) =>
        log.filter((entry) => entry.operation === operation).map(({ outcome }) => outcome)
      assert.deepStrictEqual(
        [of("mkdir"), of("symlink"), of("create"), of("unlink")],
        [["EDQUOT"], ["defect"], ["ok"], ["EIO", "ENOSPC", "ok"]]
      )
      assert.deepStrictEqual(
        log.filter(({ operation }) => operation === "unlink").map(({ paths }) => paths),
        [["/slow"], ["/other"], ["/slow"]]
      )
      assert.isAtLeast(log.find(({ operation }) => operation === "create")?.milliseconds ?? 0, 19)
    })
  )
})

describe("faults", () => {
  const lookup = { op: "lookup", name: "file" } as const

  it.live("the same seed gives the same faults", () =>
    Effect.gen(function* () {
      const outcomes = (seed: number) =>
        Effect.scoped(
          Effect.gen(function* () {
            const { kernel } = yield* FakeKernel.serve(
              withFaults(memory(), [{ operations: ["lookup"], probability: 0.5, fault: { errno: "EIO" } }], { seed })
            )
            yield* kernel.init()
            let all = ""
            for (let i = 0; i < 64; i++) all += (yield* Effect.flip(kernel.call(lookup)))._tag === "EIO" ? "x" : "."
            return all
          })
        )
      const first = yield* outcomes(7)
      assert.strictEqual(yield* outcomes(7), first)
      assert.notStrictEqual(yield* outcomes(8), first)
      assert.match(first, /^(?=.*x)(?=.*\.)/)
    })
  )

  it.live("a backend that is to go down is started again", () =>
    Effect.gen(function* () {
      const faulty = withFaults(memory(), [{ operations: ["lookup"], times: 1, fault: { down: "a bug" } }])
      const { kernel } = yield* FakeKernel.serve(faulty)
      yield* kernel.init()
      assert.strictEqual((yield* Effect.flip(kernel.call(lookup)))._tag, "EIO")
      assert.strictEqual((yield* Effect.flip(kernel.call(lookup)))._tag, "ENOENT")
    })
  )
})

describe("the life of filesystems by mountpoint", () => {
  it("start, wait, isRunning, stop; several at once", async () => {
    const mountpoints = [await makeMountpoint(), await makeMountpoint()]
    const [one = "", other = ""] = mountpoints
    try {
      assert.isFalse(Lifecycle.isRunning(one))
      await Lifecycle.stop(one)
      const started = Lifecycle.wait(one, "started")
      await Promise.all([Lifecycle.start(one, memoryPaths()), Lifecycle.start(other, tree({ file: "text" }))])
      await started
      assert.isTrue(Lifecycle.isRunning(one) && Lifecycle.isRunning(other))
      const twice: unknown = await Lifecycle.start(one, memoryPaths()).catch((error: unknown) => error)
      assert.isTrue(twice instanceof MountFailure && twice.code === "EBUSY")
      assert.strictEqual(await run("cat", [join(other, "file")]), "text")
      await Lifecycle.stop(one)
      await Lifecycle.stop(one, memoryPaths())
      await Lifecycle.wait(one, "stopped")
      assert.isFalse(Lifecycle.isRunning(one))
      assert.isTrue(Lifecycle.isRunning(other))
      const stopped = Lifecycle.wait(other, "stopped")
      await run("umount", [other])
      await stopped
      assert.isFalse(Lifecycle.isRunning(other))
      const missing: unknown = await Lifecycle.start(join(one, "missing"), memoryPaths()).catch(
        (error: unknown) => error
      )
      assert.isTrue(missing instanceof MountFailure && missing.code === "ENOENT")
      assert.strictEqual((await attempt("mountpoint", ["-q", one])).status, 32)
      assert.isUndefined(findMount(other))
    } finally {
      for (const mountpoint of mountpoints) await cleanUp(mountpoint, [])
    }
  })

  it("stop says so when another filesystem is mounted there; symbolic links are followed", async () => {
    const mountpoint = await makeMountpoint()
    const links = await makeMountpoint()
    try {
      const filesystem = memoryPaths()
      const link = join(links, "link")
      await symlink(mountpoint, join(links, "direct"))
      await symlink("./direct", link)
      await symlink("round", join(links, "round"))
      assert.isFalse(Lifecycle.isRunning(link))
      await Lifecycle.start(link, filesystem)
      for (const path of [link, `${link}/`, mountpoint, join(links, "..", basename(links), "direct")]) {
        assert.isTrue(Lifecycle.isRunning(path), path)
        assert.isTrue(Lifecycle.isRunning(path, filesystem), path)
      }
      for (const path of [links, join(links, "round"), join(links, "missing"), join(mountpoint, "below")])
        assert.isFalse(Lifecycle.isRunning(path), path)
      const other = memoryPaths()
      assert.isFalse(Lifecycle.isRunning(link, other))
      const refused: unknown = await Lifecycle.stop(link, other).catch((error: unknown) => error)
      assert.isTrue(refused instanceof MountFailure && refused.code === "EINVAL")
      assert.include(String(refused), `${mountpoint}: another filesystem is mounted there`)
      assert.isTrue(Lifecycle.isRunning(mountpoint))
      await Lifecycle.stop(link, filesystem)
      assert.isFalse(Lifecycle.isRunning(link))
      assert.isUndefined(findMount(mountpoint))
    } finally {
      await rm(links, { recursive: true })
      await cleanUp(mountpoint, [])
    }
  })
})
