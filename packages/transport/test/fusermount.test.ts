/** Helpers that do what helpers should not: each is a real program, found where fusermount3 would be. */
import { assert, describe, it } from "@effect/vitest"
import * as Effect from "effect/Effect"
import { execFileSync } from "node:child_process"
import { chmodSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from "node:fs"
import { tmpdir } from "node:os"
import { join } from "node:path"
import { fusermount3_mount, fusermount3_unmount } from "../src/mounting/fusermount.ts"
import { fd } from "../src/handle.ts"

/** Sends descriptors of /dev/null over the socket that `_FUSE_COMMFD` names, as SCM_RIGHTS; what else it does is up to the test. */
const python = `
import array, os, socket, sys, time
comm = socket.socket(fileno=int(os.environ["_FUSE_COMMFD"])) if "_FUSE_COMMFD" in os.environ else None
def send(count, data=b"\\0"):
    fds = array.array("i", [os.open("/dev/null", os.O_RDWR) for _ in range(count)])
    comm.sendmsg([data], [(socket.SOL_SOCKET, socket.SCM_RIGHTS, fds)] if count else [])
`

/** The program itself: what `python3` on the PATH may be is a script that changes the environment. */
const interpreter = execFileSync("python3", ["-c", "import sys; print(sys.executable)"], { encoding: "utf8" }).trim()

const helper = (body: string) =>
  Effect.map(
    Effect.acquireRelease(
      Effect.sync(() => {
        const folder = mkdtempSync(join(tmpdir(), "bickford-helper-"))
        const program = join(folder, "fusermount3")
        writeFileSync(program, `#!${interpreter}\n${python}\n${body}\n`)
        chmodSync(program, 0o755)
        return { folder, program }
      }),
      ({ folder }) => Effect.sync(() => rmSync(folder, { recursive: true }))
    ),
    ({ program }) => ({ program })
  )

const openDescriptors = (): ReadonlyArray<string> => readdirSync("/proc/self/fd")

/** Children of this process that nobody waited for: state Z and our pid, in proc_pid_stat(5). */
const zombies = (): number =>
  readdirSync("/proc").filter((pid) => {
    if (!/^\d+$/.test(pid)) return false
    try {
      const stat = readFileSync(`/proc/${pid}/stat`, "latin1")
      const [state, parent] = stat.slice(stat.lastIndexOf(")") + 2).split(" ")
      return state === "Z" && Number(parent) === process.pid
    } catch {
      return false
    }
  }).length

/** Whether a process is gone, or nothing but its exit status is left. */
const hasEnded = (pid: string): boolean => {
  try {
    const stat = readFileSync(`/proc/${pid}/stat`, "latin1")
    return stat.slice(stat.lastIndexOf(")") + 2).startsWith("Z")
  } catch {
    return true
  }
}

const mountWith = (body: string, timeout?: number) =>
  Effect.gen(function* () {
    const how = { ...(yield* helper(body)), ...(timeout === undefined ? {} : { timeout }) }
    const before = openDescriptors().length
    const error = yield* Effect.flip(Effect.scoped(fusermount3_mount("/mnt/point", "ro,fsname=a", how)))
    assert.strictEqual(openDescriptors().length, before, "no descriptor is left")
    assert.strictEqual(zombies(), 0, "the helper was reaped")
    return error
  })

describe("a helper that", () => {
  it.live("does its work gives the descriptor it sent, and gets its arguments", () =>
    Effect.gen(function* () {
      const how = yield* helper(`
assert sys.argv[1:] == ["-o", "ro,fsname=a", "--", "/mnt/point"], sys.argv
assert set(os.environ) - {"LC_CTYPE"} == {"PATH", "_FUSE_COMMFD"}, os.environ
assert sorted(int(n) for n in os.listdir("/proc/self/fd"))[:4] == [0, 1, 2, 3] and len(os.listdir("/proc/self/fd")) == 5
send(1)`)
      const before = openDescriptors().length
      yield* Effect.scoped(
        Effect.gen(function* () {
          const handle = yield* fusermount3_mount("/mnt/point", "ro,fsname=a", how)
          assert.strictEqual(openDescriptors().length, before + 1)
          assert.isNumber(fd(handle))
        })
      )
      assert.strictEqual(openDescriptors().length, before, "closed with its scope")
    })
  )

  it.live("ends well without sending a descriptor: fusermount_no_fd", () =>
    Effect.gen(function* () {
      const silent = yield* mountWith("sys.exit(0)")
      assert.strictEqual(silent._tag, "fusermount_no_fd")
      assert.strictEqual(silent.output, "")
      const talking = yield* mountWith(`print("done, I think")`)
      assert.strictEqual(talking._tag, "fusermount_no_fd")
      assert.strictEqual(talking.output, "done, I think\n")
      assert.include(talking.message, "done, I think")
    })
  )

  it.live("refuses, and sends nothing: fusermount_no_fd, with its words and the errno that they tell", () =>
    Effect.gen(function* () {
      const error = yield* mountWith(`sys.exit("fusermount3: bad mount point /mnt/point: No such file or directory")`)
      assert.strictEqual(error._tag, "fusermount_no_fd")
      assert.strictEqual(error.message, "fusermount3: bad mount point /mnt/point: No such file or directory")
      assert.strictEqual(error.output, `${error.message}\n`)
      assert.strictEqual(error.code, "ENOENT")
    })
  )

  it.live("sends bytes but no descriptor: fusermount_failed, with what it printed, however it ends", () =>
    Effect.gen(function* () {
      for (const end of ["", "sys.exit(1)", "os.kill(os.getpid(), 9)"]) {
        const error = yield* mountWith(`print("here it is", flush=True); send(0, b"garbage" * 1000)\n${end}`)
        assert.strictEqual(error._tag, "fusermount_failed")
        assert.include(error.message, "sent something that is not a descriptor")
        assert.include(error.message, "here it is")
        assert.strictEqual(error.output, "here it is\n")
      }
    })
  )

  it.live("sends bytes, and then a descriptor: it is taken", () =>
    Effect.gen(function* () {
      const how = yield* helper(`send(0, b"garbage"); send(1)`)
      yield* Effect.scoped(
        Effect.gen(function* () {
          assert.isNumber(fd(yield* fusermount3_mount("/mnt/point", "ro", how)))
        })
      )
    })
  )

  it.live("sends two descriptors, or two messages: the first is taken, the other closed", () =>
    Effect.gen(function* () {
      for (const body of ["send(2)", "send(1); send(1)", "send(50)"]) {
        const how = yield* helper(body)
        const before = openDescriptors().length
        yield* Effect.scoped(
          Effect.gen(function* () {
            yield* fusermount3_mount("/mnt/point", "ro", how)
            assert.strictEqual(openDescriptors().length, before + 1)
          })
        )
      }
    })
  )

  it.live("sends a descriptor and then fails: fusermount_failed, and the descriptor is closed", () =>
    Effect.gen(function* () {
      const error = yield* mountWith(`send(1); sys.exit("fusermount3: mount failed: Permission denied")`)
      assert.strictEqual(error._tag, "fusermount_failed")
      assert.strictEqual(error.message, "fusermount3: mount failed: Permission denied")
      assert.strictEqual(error.code, "EACCES")
    })
  )

  it.live("hangs is killed, and whatever it started with it", () =>
    Effect.gen(function* () {
      const attempt = (timeout: number) =>
        mountWith(
          `
child = os.fork()
if child == 0: time.sleep(600)
print(f"{child} waits for a lock", flush=True)
time.sleep(600)`,
          timeout
        )
      let error = yield* attempt(250)
      // A busy machine may not have let it come to its word.
      for (let timeout = 500; !error.message.includes("waits for a lock") && timeout < 100_000; timeout *= 2)
        error = yield* attempt(timeout)
      assert.strictEqual(error._tag, "fusermount_failed")
      assert.strictEqual(error.code, "ETIMEDOUT")
      const [, child] = /(\d+) waits for a lock/.exec(error.output) ?? []
      if (child === undefined) return assert.fail(`it never came to its word: ${error.message}`)
      yield* Effect.repeat(Effect.sleep(5), { until: () => hasEnded(child) })
    })
  )

  it.live("is killed by a signal says by which", () =>
    Effect.gen(function* () {
      const error = yield* mountWith("os.kill(os.getpid(), 9)")
      assert.strictEqual(error._tag, "fusermount_no_fd")
      assert.include(error.message, "signal 9")
    })
  )

  it.live("talks without end: only its first words are kept", () =>
    Effect.gen(function* () {
      const error = yield* mountWith(`sys.stderr.write("x" * 1000000); sys.exit(1)`)
      assert.strictEqual(error._tag, "fusermount_no_fd")
      assert.strictEqual(error.output.length, 8192)
      assert.isBelow(error.message.length, 10_000)
    })
  )

  it.live("refuses allow_other says what to change", () =>
    Effect.gen(function* () {
      const error = yield* mountWith(
        `sys.exit("fusermount3: option allow_other only allowed if 'user_allow_other' is set in /etc/fuse.conf")`
      )
      assert.include(error.message, "put the line user_allow_other into /etc/fuse.conf")
    })
  )

  it.live("is not there, or cannot be run, says so", () =>
    Effect.gen(function* () {
      const missing = yield* Effect.flip(
        Effect.scoped(fusermount3_mount("/mnt/point", "ro", { program: "/nonexistent/fusermount3" }))
      )
      assert.strictEqual(missing._tag, "fusermount_failed")
      assert.include(missing.message, "/nonexistent/fusermount3 could not be run")
      const path = process.env["PATH"]
      try {
        process.env["PATH"] = "/nonexistent"
        const error = yield* Effect.flip(Effect.scoped(fusermount3_mount("/mnt/point", "ro")))
        assert.include(error.message, "not on the PATH (/nonexistent)")
        assert.include(error.message, "apt-get install fuse3")
        process.env["PATH"] = ""
        assert.include(
          (yield* Effect.flip(Effect.scoped(fusermount3_mount("/mnt/point", "ro")))).message,
          "PATH is empty"
        )
      } finally {
        process.env["PATH"] = path
      }
    })
  )

  it.live("unmounts is told how", () =>
    Effect.gen(function* () {
      const how = yield* helper(
        `sys.exit(0 if sys.argv[1:] == ["-u", "-z", "--", "/mnt/point"] else "fusermount3: failed to unmount: Device or resource busy")`
      )
      yield* fusermount3_unmount("/mnt/point", true, how)
      const error = yield* Effect.flip(fusermount3_unmount("/mnt/point", false, how))
      assert.strictEqual(error._tag, "fusermount_failed")
      assert.strictEqual(error.code, "EBUSY")
    })
  )
})
