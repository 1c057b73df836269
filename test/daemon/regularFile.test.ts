/** What is given in the place of a file that is read whole: each run is a process of its own, which a pipe would stop. */
import { assert, describe, it } from "@effect/vitest"
import { execFileSync } from "node:child_process"
import { mkdirSync, mkdtempSync, rmSync } from "node:fs"
import { createServer } from "node:net"
import { tmpdir } from "node:os"
import { join } from "node:path"
import { afterAll, beforeAll } from "vitest"
import { attempt } from "../mount/processes.ts"
import { readState } from "../../packages/daemon/src/keeper/stateFile.ts"
import { checkRegularFile, readRegularFile } from "../../packages/daemon/src/regularFile.ts"
import { bickfordCommand } from "./daemon.ts"

const folder = mkdtempSync(join(tmpdir(), "bickford-regular-"))
const fifo = join(folder, "state.json")
const mountpoint = join(folder, "m")

beforeAll(() => {
  execFileSync("mkfifo", [fifo])
  mkdirSync(mountpoint)
})

afterAll(() => rmSync(folder, { recursive: true }))

const bickford = async (...args: ReadonlyArray<string>) => {
  const [program = "", ...rest] = bickfordCommand
  const { status, stderr } = await attempt(program, [...rest, ...args])
  assert.strictEqual(status, 1, stderr)
  return stderr
}

describe("what is no regular file", () => {
  it("is refused before it is read", async () => {
    assert.throws(() => readRegularFile(fifo), "is a device or a pipe; name a regular file")
    assert.throws(() => readRegularFile("/dev/zero"), "is a device or a pipe")
    assert.throws(() => readRegularFile(folder), "is a directory")
    const socket = join(folder, "socket")
    const server = createServer()
    await new Promise<void>((done) => void server.listen(socket, done))
    try {
      assert.throws(() => checkRegularFile(socket), "is a socket")
    } finally {
      server.close()
    }
    assert.doesNotThrow(() => checkRegularFile(join(folder, "missing")))
  })

  it("is no state of a daemon", () => {
    assert.isUndefined(readState(folder))
  })

  it("is no configuration", async () => {
    assert.include(await bickford("check", "/dev/zero"), "/dev/zero: is a device; name a regular file")
    assert.include(await bickford("check", folder), `${folder}: is a directory`)
  })

  it("is a configuration where it is a pipe: of the shell's, or a FIFO", async () => {
    const text = `[mounts.data]\nsource = "memory:"\nmountpoint = "${mountpoint}"\n`
    const [program = "", ...rest] = bickfordCommand
    const piped = `text=$1 fifo=$2; shift 2; "$@" check <(echo "$text") && (echo "$text" >"$fifo" & "$@" check "$fifo")`
    const { status, stderr, stdout } = await attempt("bash", ["-c", piped, "bash", text, fifo, program, ...rest])
    assert.strictEqual(status, 0, stderr)
    assert.strictEqual(stdout, `data: memory: at ${mountpoint}\n`.repeat(2))
  })

  it("is no module", async () => {
    assert.include(
      await bickford("mount", `module:${fifo}`, mountpoint),
      `module:${fifo}: is a device or a pipe; name a regular file`
    )
  })
})
