/** An embedded program that does nothing about signals: however it ends, it leaves no mount behind. */
import { assert, describe, it } from "@effect/vitest"
import { abortConnection, findMount, type MountEntry } from "@bickford/transport"
import * as Effect from "effect/Effect"
import { type ChildProcessByStdio, spawn } from "node:child_process"
import { once } from "node:events"
import { existsSync } from "node:fs"
import { join } from "node:path"
import type { Readable, Writable } from "node:stream"
import { patienceMilliseconds } from "../patience.ts"
import { cleanUp, makeMountpoint, root } from "./bickford.ts"
import { attempt, ended, type Outcome } from "./processes.ts"

const program = join(root, "test", "mount", "programs", "ending.ts")

const until = async (what: string, condition: () => boolean): Promise<void> => {
  const deadline = performance.now() + patienceMilliseconds
  while (!condition()) {
    if (performance.now() > deadline) throw new Error(`in vain: ${what}`)
    await new Promise((resolve) => setTimeout(resolve, 5))
  }
}

interface Ending {
  readonly child: ChildProcessByStdio<Writable, Readable, Readable>
  readonly mountpoints: ReadonlyArray<string>
  readonly said: () => string
  readonly complained: () => string
  /** Waits until it has said `text` so many times. */
  readonly says: (text: string, times?: number) => Promise<void>
  /** Has a process read the file, and waits until the backend is asked. */
  readonly read: () => Promise<{ readonly outcome: Promise<Outcome> }>
  /** The exit status or signal. */
  readonly end: () => Promise<number | NodeJS.Signals | null>
}

const connectionOf = (entry: MountEntry): string => `/sys/fs/fuse/connections/${entry.device.split(":")[1]}`

const start = (mountpoints: ReadonlyArray<string>, words: ReadonlyArray<string>): Ending => {
  const child = spawn(
    process.execPath,
    ["--conditions=development", "--disable-warning=ExperimentalWarning", program, mountpoints.join(), ...words],
    {
      stdio: ["pipe", "pipe", "pipe"]
    }
  )
  let said = ""
  let complained = ""
  child.stdout.setEncoding("utf8").on("data", (text: string) => (said += text))
  child.stderr.setEncoding("utf8").on("data", (text: string) => (complained += text))
  const says = (text: string, times = 1) =>
    until(
      `${text} from a program that said ${said}${complained}`,
      () => said.split(text).length > times || child.exitCode !== null || child.signalCode !== null
    )
  return {
    child,
    mountpoints,
    said: () => said,
    complained: () => complained,
    says,
    read: async () => {
      const outcome = attempt("cat", [join(mountpoints[0] ?? "", "file")])
      await says("reading")
      return { outcome }
    },
    end: async () => {
      const timer = setTimeout(() => child.kill("SIGKILL"), patienceMilliseconds)
      const { signal, status } = await ended(child)
      clearTimeout(timer)
      if (!child.stdout.closed) await once(child.stdout, "close")
      return signal ?? status
    }
  }
}

/** Runs `body` with a program that serves; afterwards neither its mounts nor its connections may be there. */
const withProgram = async (
  words: ReadonlyArray<string>,
  body: (ending: Ending) => Promise<void>,
  count = 1
): Promise<void> => {
  const mountpoints = await Promise.all(Array.from({ length: count }, makeMountpoint))
  const ending = start(mountpoints, words)
  try {
    await ending.says("ready")
    const entries = mountpoints.flatMap((mountpoint) => findMount(mountpoint) ?? [])
    assert.strictEqual(entries.length, count, `${ending.said()}${ending.complained()}`)
    await body(ending)
    for (const mountpoint of mountpoints) assert.isUndefined(findMount(mountpoint), ending.complained())
    // Another mount may get a number at once, and then have it for a while.
    for (const entry of entries) await until(`no connection ${entry.device}`, () => !existsSync(connectionOf(entry)))
  } finally {
    ending.child.kill("SIGKILL")
    for (const mountpoint of mountpoints) {
      const left = findMount(mountpoint)
      if (left !== undefined) await Effect.runPromise(Effect.ignore(abortConnection(left)))
      await cleanUp(mountpoint, [])
    }
    await ended(ending.child)
  }
}

describe("a program that does nothing about signals", () => {
  for (const signal of ["SIGINT", "SIGTERM", "SIGHUP"] as const) {
    it(`${signal}: unmounts, and the signal ends it`, () =>
      withProgram([], async ({ child, complained, end }) => {
        child.kill(signal)
        assert.strictEqual(await end(), signal)
        assert.strictEqual(complained(), "")
      }))
  }

  it("unmounts all of its mounts", () =>
    withProgram(
      [],
      async ({ child, end }) => {
        child.kill("SIGTERM")
        assert.strictEqual(await end(), "SIGTERM")
      },
      3
    ))

  it("serves a read to its end when a signal comes, and then ends", () =>
    withProgram(["patient"], async ({ child, end, mountpoints, read }) => {
      const { outcome } = await read()
      child.kill("SIGTERM")
      await until("the mount is detached", () => findMount(mountpoints[0] ?? "") === undefined)
      child.stdin.write("answer\n")
      assert.strictEqual((await outcome).stdout, "hello")
      assert.strictEqual(await end(), "SIGTERM")
    }))

  it("does not wait longer than stopTimeout for a read that is never answered", () =>
    withProgram([], async ({ child, end, read }) => {
      const { outcome } = await read()
      child.kill("SIGTERM")
      assert.strictEqual(await end(), "SIGTERM")
      assert.notStrictEqual((await outcome).status, 0)
    }))

  it("a second signal waits for nobody", () =>
    withProgram(["patient"], async ({ child, end, mountpoints, read }) => {
      const { outcome } = await read()
      child.kill("SIGTERM")
      await until("the mount is detached", () => findMount(mountpoints[0] ?? "") === undefined)
      child.kill("SIGINT")
      assert.strictEqual(await end(), "SIGTERM")
      assert.notStrictEqual((await outcome).status, 0)
    }))

  it("tells a slow promise to stop", () =>
    withProgram(["promise"], async ({ child, end, read, said }) => {
      const { outcome } = await read()
      child.kill("SIGINT")
      assert.strictEqual(await end(), "SIGINT")
      assert.include(said(), "told to stop")
      assert.notStrictEqual((await outcome).stdout, "late")
    }))

  it("unmounts what its backend has not started to serve yet", () =>
    withProgram(["starting"], async ({ child, end }) => {
      child.kill("SIGTERM")
      assert.strictEqual(await end(), "SIGTERM")
    }))

  it("ends by the signal also when it exits after its mount's end", () =>
    withProgram(["leaves"], async ({ child, end }) => {
      child.kill("SIGTERM")
      assert.strictEqual(await end(), "SIGTERM")
    }))

  it("unmounts what a worker thread serves", () =>
    withProgram(
      ["worker"],
      async ({ child, end }) => {
        child.kill("SIGTERM")
        assert.strictEqual(await end(), "SIGTERM")
      },
      2
    ))

  it("unmounts beside the package signal-exit, which is told of the signal too", () =>
    withProgram(["library"], async ({ child, end, said }) => {
      child.kill("SIGTERM")
      assert.strictEqual(await end(), "SIGTERM")
      assert.include(said(), "signal-exit null SIGTERM")
    }))

  it("leaves the mount when unmountOnExit is false", async () => {
    const mountpoint = await makeMountpoint()
    const { child, end, says } = start([mountpoint], ["off"])
    try {
      await says("ready")
      child.kill("SIGTERM")
      assert.strictEqual(await end(), "SIGTERM")
      assert.isDefined(findMount(mountpoint))
    } finally {
      child.kill("SIGKILL")
      await cleanUp(mountpoint, [])
    }
  })
})

describe("a program with listeners of its own", () => {
  it("goes on after its signal, with the mount", () =>
    withProgram(["listens"], async ({ child, end, mountpoints, read, said, says }) => {
      child.kill("SIGHUP")
      await says("own SIGHUP")
      child.kill("SIGTERM")
      await says("own SIGTERM")
      child.kill("SIGTERM")
      await says("own SIGTERM", 2)
      assert.isDefined(findMount(mountpoints[0] ?? ""))
      const { outcome } = await read()
      child.stdin.write("answer\n")
      assert.strictEqual((await outcome).stdout, "hello", said())
      // It does not listen for this one.
      child.kill("SIGINT")
      assert.strictEqual(await end(), "SIGINT")
    }))

  it("exits with its own status", () =>
    withProgram(["exits"], async ({ child, end }) => {
      child.kill("SIGTERM")
      assert.strictEqual(await end(), 7)
    }))

  it("unmounts by itself, by a listener that was there first and is called once", () =>
    withProgram(["once"], async ({ child, end, mountpoints }) => {
      child.kill("SIGTERM")
      await until("the mount is gone", () => findMount(mountpoints[0] ?? "") === undefined)
      assert.isNull(child.signalCode)
      child.stdin.write("exit\n")
      assert.strictEqual(await end(), 5)
    }))
})

describe("a program that ends in another way", () => {
  const ways: ReadonlyArray<readonly [name: string, line: string, status: number]> = [
    ["process.exit", "exit", 5],
    ["an uncaught exception", "throw", 1],
    ["an unhandled rejection", "reject", 1]
  ]
  for (const [name, line, status] of ways) {
    for (const words of [[], ["memory"], ["worker"]]) {
      it(`${name}: no mount is left${words.map((word) => `, ${word}`).join("")}`, () =>
        withProgram(
          words,
          async ({ child, end }) => {
            child.stdin.write(`${line}\n`)
            assert.strictEqual(await end(), status)
          },
          2
        ))
    }
  }

  it("process.exit while a read hangs: the reader is let go", () =>
    withProgram([], async ({ child, end, read }) => {
      const { outcome } = await read()
      child.stdin.write("exit\n")
      assert.strictEqual(await end(), 5)
      assert.notStrictEqual((await outcome).status, 0)
    }))

  it("process.exit while a signal waits for the mount: the signal ends it", () =>
    withProgram(["patient"], async ({ child, end, mountpoints, read }) => {
      const { outcome } = await read()
      child.kill("SIGTERM")
      await until("the mount is detached", () => findMount(mountpoints[0] ?? "") === undefined)
      child.stdin.write("exit\n")
      assert.strictEqual(await end(), "SIGTERM")
      assert.notStrictEqual((await outcome).status, 0)
    }))
})
