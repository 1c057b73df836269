/**
 * The tutorial does what it says: its files are written and its commands run in the order in which they stand there,
 * in an empty directory, on a real mount. Only `npm install` is not run: the checkout's packages take its place.
 */
import { assert, it } from "@effect/vitest"
import { findMount } from "@bickford/transport"
import { type ChildProcess, spawn } from "node:child_process"
import { mkdtemp, readFile, realpath, rm, symlink, writeFile } from "node:fs/promises"
import { tmpdir } from "node:os"
import { dirname, join, resolve } from "node:path"
import { setTimeout } from "node:timers/promises"
import { cleanUp } from "../mount/bickford.ts"
import { attempt, ended } from "../mount/processes.ts"
import { patienceMilliseconds } from "../patience.ts"
import { fencesOf, root } from "./documents.ts"

const spaces = (text: string): string => text.trim().split(/\s+/).join(" ")

/** The terminals of somebody who follows the page. */
class Reader {
  directory: string
  #server: ChildProcess | undefined
  /** What the server has printed: on stdout since it was last looked at, on stderr all along. */
  #said = ""
  log = ""
  readonly #env: NodeJS.ProcessEnv

  constructor(directory: string) {
    this.directory = directory
    const { NODE_OPTIONS: _, NODE_V8_COVERAGE: __, VITEST: ___, ...env } = process.env
    this.#env = {
      ...env,
      LC_ALL: "C",
      PATH: `${dirname(process.execPath)}:${process.env["PATH"]}`,
      NODE_OPTIONS: "--conditions=development --disable-warning=ExperimentalWarning"
    }
  }

  /** A command of a terminal, and what it prints on both streams; one that hangs on the mount has its server killed. */
  async run(command: string): Promise<{ readonly status: number | null; readonly output: string }> {
    if (command.startsWith("cd ")) {
      this.directory = resolve(this.directory, command.slice(3))
      return { status: 0, output: "" }
    }
    if (command === "npm install bickford") {
      await symlink(join(root, "node_modules"), join(this.directory, "node_modules"))
      return { status: 0, output: "" }
    }
    const { status, stderr, stdout } = await attempt("sh", ["-c", command], {
      cwd: this.directory,
      env: this.#env,
      onTimeout: async () => {
        this.#server?.kill("SIGKILL")
        return `the server was killed; it had said ${this.#said}${this.log}`
      }
    })
    return { status, output: stdout + stderr }
  }

  /** Starts a program that goes on in the first terminal. */
  serve(command: string): void {
    const [program = "", ...args] = command.split(" ")
    const server = spawn(program, args, { cwd: this.directory, env: this.#env, stdio: ["ignore", "pipe", "pipe"] })
    server.stdout.setEncoding("utf8").on("data", (text: string) => (this.#said += text))
    server.stderr.setEncoding("utf8").on("data", (text: string) => (this.log += text))
    this.#server = server
  }

  /** Waits until the first terminal shows a line. */
  async shows(line: string): Promise<void> {
    const until = performance.now() + patienceMilliseconds
    while (!spaces(this.#said).includes(spaces(line))) {
      if (performance.now() > until) throw new Error(`the server never said ${line}, but ${this.#said}${this.log}`)
      await setTimeout(100)
    }
    this.#said = ""
  }

  interrupt(): void {
    this.#server?.kill("SIGINT")
  }

  async leave(): Promise<void> {
    this.#server?.kill("SIGKILL")
    if (this.#server !== undefined) await ended(this.#server)
  }
}

/** A block of commands and what they print. */
const follow = async (reader: Reader, block: string): Promise<void> => {
  const steps = block.split(/^(?=\$ |\^C)/m)
  for (const step of steps) {
    const [first = "", ...rest] = step.split("\n")
    const expected = rest.join("\n").replace("/home/you/greeting", reader.directory)
    if (first === "^C") {
      reader.interrupt()
      await reader.shows(expected)
    } else if (first === "$ node mount.ts") {
      reader.serve(first.slice(2))
      await reader.shows(expected)
    } else {
      const { output } = await reader.run(first.slice(2))
      assert.strictEqual(spaces(output), spaces(expected), first)
    }
  }
}

it("the tutorial, followed from an empty directory", async () => {
  const start = await realpath(await mkdtemp(join(tmpdir(), "bickford-tutorial-")))
  const reader = new Reader(start)
  const seen = { commands: 0, files: 0, sessions: 0 }
  try {
    for (const { content, info, language } of fencesOf(await readFile(join(root, "docs/tutorial.md"), "utf8"))) {
      if (language === "ts") {
        seen.files++
        await writeFile(join(reader.directory, info), content)
      } else if (language === "sh") {
        for (const command of content.trim().split("\n")) {
          seen.commands++
          const { output, status } = await reader.run(command)
          assert.strictEqual(status, 0, `${command}: ${output}`)
          if (command === "node --test") assert.match(output, /pass 2[\s\S]*fail 0/)
        }
      } else {
        seen.sessions++
        await follow(reader, content)
      }
    }
    assert.deepStrictEqual(seen, { commands: 6, files: 3, sessions: 6 })
    assert.include(reader.log, "ReferenceError: nmae is not defined")
    assert.match(reader.log, /greeting\.ts:\d+/)
    assert.isUndefined(findMount(join(reader.directory, "mnt")))
  } finally {
    await reader.leave()
    await cleanUp(join(reader.directory, "mnt"), [])
    await rm(start, { recursive: true, force: true })
  }
})
