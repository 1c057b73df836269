/** What a program written for fuse-native relies on, on a live mount. */
import { assert, describe, it } from "@effect/vitest"
import { spawn } from "node:child_process"
import { once } from "node:events"
import { mkdtemp, rm } from "node:fs/promises"
import { tmpdir } from "node:os"
import { join } from "node:path"
import { promisify } from "node:util"
import { attempt, run } from "../../../test/mount/processes.ts"
import { Fuse, type FuseOptions, type Operations, type Stat } from "../src/index.ts"

const directory: Stat = { mode: 0o040755, nlink: 2, size: 4096, uid: 0, gid: 0 }

/** A few files in memory, in fuse-native's way; tells `log` of each call. */
const memoryOperations = (log: Array<string> = []): Operations => {
  const files = new Map<string, { data: Buffer; mode: number; mtime: number }>()
  const at = (path: string) => files.get(path)
  return {
    readdir: (path, cb) => {
      log.push(`readdir ${path}`)
      process.nextTick(cb, 0, path === "/" ? Array.from(files.keys(), (name) => name.slice(1)) : [])
    },
    getattr: (path, cb) => {
      if (path === "/") return cb(0, directory)
      const file = at(path)
      if (file === undefined) return cb(Fuse["ENOENT"])
      return cb(0, { mode: file.mode, size: file.data.length, mtime: new Date(file.mtime), nlink: 1, uid: 0, gid: 0 })
    },
    open: (path, flags, cb) => {
      log.push(`open ${path} ${flags & 3}`)
      process.nextTick(cb, 0, 42)
    },
    create: (path, mode, cb) => {
      files.set(path, { data: Buffer.alloc(0), mode, mtime: Date.now() })
      cb(0, 43)
    },
    release: (path, fd, cb) => {
      log.push(`release ${path} ${fd}`)
      cb(0)
    },
    read: (path, fd, buffer, length, position, cb) => {
      assert.include([42, 43], fd)
      const part = at(path)?.data.subarray(position, position + length)
      if (part === undefined) return cb(Fuse["ENOENT"] ?? -2)
      part.copy(buffer)
      return process.nextTick(cb, part.length)
    },
    write: (path, _fd, buffer, length, position, cb) => {
      log.push(`write ${length}`)
      const file = at(path)
      if (file === undefined) return cb(-2)
      const grown = Buffer.alloc(Math.max(file.data.length, position + length))
      file.data.copy(grown)
      buffer.copy(grown, position, 0, length)
      file.data = grown
      return process.nextTick(cb, length)
    },
    truncate: (path, size, cb) => {
      const file = at(path)
      if (file === undefined) return cb(-2)
      file.data = Buffer.concat([file.data, Buffer.alloc(size)]).subarray(0, size)
      return cb(0)
    },
    utimens: (path, _atime, mtime, cb) => {
      const file = at(path)
      if (file !== undefined) file.mtime = mtime
      cb(0)
    },
    chmod: (_path, _mode, cb) => cb(Fuse["EPERM"]),
    rename: (path, newPath, cb) => {
      const file = at(path)
      if (file === undefined) return cb(-2)
      files.delete(path)
      files.set(newPath, file)
      return cb(0)
    },
    unlink: (path, cb) => cb(files.delete(path) ? 0 : -2),
    opendir: (path, _flags, cb) => {
      log.push(`opendir ${path}`)
      process.nextTick(cb, 0, 7)
    },
    releasedir: (path, fd, cb) => {
      log.push(`releasedir ${path} ${fd}`)
      cb(0)
    },
    statfs: (_path, cb) => cb(0, { bsize: 4096, blocks: 1000, bfree: 500, bavail: 400, files: 10, ffree: 5 })
  }
}

const withFuse = async (
  ops: Operations,
  body: (mountpoint: string) => Promise<void>,
  options: FuseOptions = {}
): Promise<void> => {
  const mountpoint = await mkdtemp(join(tmpdir(), "bickford-fuse-native-"))
  const fuse = new Fuse(mountpoint, ops, options)
  try {
    await promisify(fuse.mount.bind(fuse))()
    await body(mountpoint)
  } finally {
    await promisify(fuse.unmount.bind(fuse))()
    await rm(mountpoint, { recursive: true, force: true })
  }
}

describe("a program written for fuse-native", () => {
  it("reads, writes, lists, renames and removes", () => {
    const log: Array<string> = []
    return withFuse(memoryOperations(log), async (mountpoint) => {
      const script = `cd "$1"; echo hello > file; cat file; mv file other; cat other; ls; stat -c %s other
        touch -d @1000 other; stat -c %Y other; truncate -s 3 other; cat other; echo; stat -f -c '%b %f' .; rm other; ls`
      assert.strictEqual(
        await run("sh", ["-ec", script, "sh", mountpoint]),
        "hello\nhello\nother\n6\n1000\nhel\n1000 500\n"
      )
      assert.include(log, "open /file 0")
      assert.include(log, "release /file 43")
      assert.include(log, "opendir /")
      assert.include(log, "releasedir / 7")
    })
  })

  it("answers error numbers, and EPERM where it has no getattr", async () => {
    await withFuse(memoryOperations(), async (mountpoint) => {
      assert.include((await attempt("cat", [join(mountpoint, "none")])).stderr, "No such file")
      await run("touch", [join(mountpoint, "file")])
      assert.include((await attempt("chmod", ["600", join(mountpoint, "file")])).stderr, "not permitted")
    })
    await withFuse({}, async (mountpoint) => {
      assert.include((await attempt("cat", [join(mountpoint, "none")])).stderr, "not permitted")
    })
  })

  it("is told of ftruncate(2) with its descriptor, and of fdatasync(2) apart from fsync(2)", () => {
    const log: Array<string> = []
    const operations: Operations = {
      ...memoryOperations(),
      ftruncate: (path, fd, size, cb) => {
        log.push(`ftruncate ${path} ${fd} ${size}`)
        cb(0)
      },
      fsync: (path, datasync, fd, cb) => {
        log.push(`fsync ${path} ${datasync} ${fd}`)
        cb(0)
      }
    }
    const script = `import os,sys
fd = os.open(sys.argv[1], os.O_RDWR | os.O_CREAT, 0o600)
os.ftruncate(fd, 5); os.fdatasync(fd); os.fsync(fd)`
    return withFuse(operations, async (mountpoint) => {
      await run("/usr/bin/python3", ["-c", script, join(mountpoint, "file")])
      assert.deepStrictEqual(log, ["ftruncate /file 43 5", "fsync /file true 43", "fsync /file false 43"])
    })
  })

  it("shows every request and reply where `debug` is set", async () => {
    const folder = await mkdtemp(join(tmpdir(), "bickford-fuse-native-"))
    const program = join(import.meta.dirname, "debugged.ts")
    try {
      const { status, stderr } = await attempt(process.execPath, [
        "--conditions=development",
        "--disable-warning=ExperimentalWarning",
        program,
        folder
      ])
      assert.strictEqual(status, 0, stderr)
      assert.match(stderr, /-> \d+ LOOKUP .*none/)
      assert.match(stderr, /<- \d+ LOOKUP .*ENOENT/)
    } finally {
      await rm(folder, { recursive: true, force: true })
    }
  })

  it("writes more than 4 KiB at once", () => {
    const log: Array<string> = []
    return withFuse(memoryOperations(log), async (mountpoint) => {
      await run("dd", ["if=/dev/zero", `of=${join(mountpoint, "big")}`, "bs=1M", "count=2", "status=none"])
      const sizes = log.flatMap((line) => (line.startsWith("write ") ? [Number(line.slice(6))] : []))
      assert.strictEqual(
        sizes.reduce((sum, size) => sum + size, 0),
        2 << 20
      )
      assert.isAbove(Math.max(...sizes), 4096)
    })
  })

  it("is answered ETIMEDOUT for what calls nothing back", () =>
    withFuse(
      { ...memoryOperations(), readdir: () => undefined },
      async (mountpoint) => {
        assert.include((await attempt("ls", [mountpoint])).stderr, "timed out")
      },
      { timeout: { readdir: 20 } }
    ))

  it("lets go of a caller that is killed while an operation calls nothing back", () => {
    let asked: () => void = () => {}
    const silent = (): void => asked()
    const ops = { ...memoryOperations(), mkdir: silent, unlink: silent, readdir: silent, open: silent }
    return withFuse(
      ops,
      async (mountpoint) => {
        await run("sh", ["-ec", 'cd "$1"; touch one other', "sh", mountpoint])
        for (const command of ["mkdir made", "rm -f one", "ls", "cat other"]) {
          const waiting = new Promise<void>((resolve) => (asked = resolve))
          const caller = spawn("sh", ["-c", `cd "$1"; exec ${command}`, "sh", mountpoint], {
            stdio: "ignore",
            cwd: "/"
          })
          const ended = once(caller, "exit")
          await waiting
          caller.kill("SIGINT")
          assert.deepStrictEqual(await ended, [null, "SIGINT"], command)
        }
      },
      { timeout: false }
    )
  })

  it("is told that a directory is closed which was opened for a caller that had been killed", () => {
    const log: Array<string> = []
    let goOn: () => void = () => {}
    let asked: () => void = () => {}
    const ops: Operations = {
      ...memoryOperations(log),
      opendir: (_path, _flags, cb) => {
        goOn = () => cb(0, 9)
        asked()
      },
      releasedir: (path, fd, cb) => {
        log.push(`releasedir ${path} ${fd}`)
        cb(0)
        asked()
      }
    }
    return withFuse(ops, async (mountpoint) => {
      const opening = new Promise<void>((resolve) => (asked = resolve))
      const caller = spawn("ls", [mountpoint], { stdio: "ignore", cwd: "/" })
      const ended = once(caller, "exit")
      await opening
      caller.kill("SIGINT")
      assert.deepStrictEqual(await ended, [null, "SIGINT"])
      const released = new Promise<void>((resolve) => (asked = resolve))
      goOn()
      await released
      assert.include(log, "releasedir / 9")
    })
  })

  it("fails where it calls back with what is no number, or throws: by an Error's code, else EIO", () => {
    const denied = Object.assign(new Error("no"), { code: "EACCES" })
    // As JavaScript has it, where no type holds a program back.
    const answering = (error: unknown) => (_path: string, cb: (error: never) => void) => cb(error as never)
    const ops = {
      ...memoryOperations(),
      unlink: answering(denied),
      mkdir: (_path: string, _mode: number, cb: (error: never) => void) => process.nextTick(cb, "ENOSPC" as never),
      chmod: (_path: string, _mode: number, cb: (error: never) => void) => cb(Number.NaN as never),
      rename: (_path: string, _newPath: string, cb: (error: never) => void) => {
        cb(null as never)
        cb(denied as never)
      }
    }
    return withFuse(ops, async (mountpoint) => {
      const said = async (script: string): Promise<string> =>
        (await attempt("sh", ["-c", `cd "$1"; LC_ALL=C ${script}`, "sh", mountpoint])).stderr.trim()
      assert.strictEqual(await said("touch file"), "")
      assert.match(await said("rm -f file"), /Permission denied$/)
      assert.match(await said("mkdir made"), /Input\/output error$/)
      assert.match(await said("chmod 600 file"), /Input\/output error$/)
      assert.strictEqual(await said("mv file other"), "", "what is called back first counts")
    })
  })

  it("lets root in and keeps others out where `allowRoot` is set, and lets all in where `allowOther` is", async () => {
    const asNobody = (mountpoint: string) =>
      attempt("setpriv", ["--reuid=65534", "--regid=65534", "--clear-groups", "cat", join(mountpoint, "file")])
    for (const [options, others] of [
      [{ allowRoot: true }, "Permission denied"],
      [{}, "Permission denied"],
      [{ allowOther: true }, ""]
    ] as const)
      await withFuse(
        memoryOperations(),
        async (mountpoint) => {
          await run("chmod", ["755", mountpoint]).catch(() => undefined)
          await run("sh", ["-ec", 'umask 0; echo text > "$1/file"; cat "$1/file"', "sh", mountpoint])
          assert.include((await asNobody(mountpoint)).stderr, others)
        },
        options
      )
  })

  it("is told that a directory is closed, be it one that could not be listed", () => {
    const log: Array<string> = []
    return withFuse(
      { ...memoryOperations(log), readdir: (_path, cb) => process.nextTick(cb, Fuse["EACCES"]) },
      async (mountpoint) => {
        assert.include((await attempt("ls", [mountpoint])).stderr, "Permission denied")
        assert.deepStrictEqual(
          log.filter((line) => line.includes("dir ")),
          ["opendir /", "releasedir / 7"]
        )
      }
    )
  })

  it("is told of a mountpoint that is missing, is no directory, or is in use", async () => {
    const folder = await mkdtemp(join(tmpdir(), "bickford-fuse-native-"))
    const told = (mnt: string, options: FuseOptions = {}): Promise<string> =>
      new Promise((resolve) =>
        new Fuse(mnt, memoryOperations(), options).mount((error) => resolve(error?.message ?? "mounted"))
      )
    try {
      assert.strictEqual(await told(join(folder, "none")), "Mountpoint does not exist")
      assert.strictEqual(await told("/etc/passwd"), "Mountpoint is not a directory")
      const made = join(folder, "made", "here")
      assert.strictEqual(await told(made, { mkdir: true }), "mounted")
      assert.strictEqual(await told(made), "Mountpoint in use")
      assert.strictEqual(await told(made, { force: true }), "mounted")
      await promisify(Fuse.unmount)(made)
    } finally {
      await rm(folder, { recursive: true, force: true })
    }
  })

  it("finds its constants, and the constructor by require", async () => {
    assert.strictEqual(Fuse["ENOENT"], -2)
    assert.strictEqual(Fuse["EOPNOTSUPP"], -95)
    assert.strictEqual(new Fuse("/tmp", {}).errno("enotempty"), -39)
    assert.strictEqual(new Fuse("/tmp", {}).errno("none"), -1)
    assert.isTrue(await promisify<boolean>((cb) => Fuse.isConfigured((error, is) => cb(error, is)))())
    const source = join(import.meta.dirname, "program.cjs")
    assert.strictEqual(
      await run(process.execPath, ["--conditions=development", "--disable-warning=ExperimentalWarning", source]),
      "function -2\n"
    )
  })
})
