/** Processes that make system calls, each as a user of its own: see driver.c. */
import { execFile, spawn } from "node:child_process"
import { createHash } from "node:crypto"
import { mkdir, readFile, rename, stat } from "node:fs/promises"
import { join } from "node:path"
import { promisify } from "node:util"

/** Who makes a call. `mate` is also in `user`'s group, `other` shares nothing with them. */
const identities = {
  root: { uid: 0, gid: 0, groups: [] },
  root2: { uid: 0, gid: 0, groups: [] },
  user: { uid: 65533, gid: 65533, groups: [] },
  user2: { uid: 65533, gid: 65533, groups: [] },
  mate: { uid: 65532, gid: 65532, groups: [65533, 65531] },
  other: { uid: 65530, gid: 65530, groups: [] }
} as const

export type Who = keyof typeof identities

export const isWho = (name: string): name is Who => Object.hasOwn(identities, name)

/** What a call gave: its value and what it told, or an errno. */
export interface Result {
  readonly errno: string | undefined
  readonly fields: { readonly [name: string]: string }
}

export interface Driver {
  readonly pid: number
  /** Makes a call; arguments as driver.c takes them. Fails when the process ends. */
  readonly call: (line: string) => Promise<Result>
  readonly signal: (name: NodeJS.Signals) => void
  /** Ends the process; one that hangs in a call goes when its mount is gone. */
  readonly end: () => void
}

const source = join(import.meta.dirname, "driver.c")
const cache = join(import.meta.dirname, "..", "..", "node_modules", ".cache", "bickford-driver")

/** Compiles the driver once for each version of its source; gives the program's path. */
export const buildDriver = async (): Promise<string> => {
  const version = createHash("sha256")
    .update(await readFile(source))
    .digest("hex")
    .slice(0, 16)
  const program = join(cache, version)

  if (
    await stat(program).then(
      () => true,
      () => false
    )
  )
    return program
  await mkdir(cache, { recursive: true })
  const fresh = `${program}.${process.pid}`
  await promisify(execFile)("cc", ["-std=gnu11", "-O1", "-Wall", "-Wextra", "-Werror", "-o", fresh, source])
  await rename(fresh, program)
  return program
}

/** A token of an answer: bytes that are no letters come as %XX. */
const parseResult = (line: string): Result => {
  if (/^E[A-Z0-9]+$/.test(line)) return { errno: line, fields: {} }
  const [value = "", ...rest] = line.split(" ")
  const fields: { [name: string]: string } = { value }
  for (const part of rest) {
    const at = part.indexOf("=")
    fields[part.slice(0, at)] = part.slice(at + 1)
  }
  return { errno: undefined, fields }
}

/** Starts a driver whose places are the folders of `base`. */
const startDriver = (program: string, base: string, who: Who): Driver => {
  const { gid, groups, uid } = identities[who]
  const child = spawn(program, [base, String(uid), String(gid), groups.join(",")], {
    cwd: "/",
    stdio: ["pipe", "pipe", "pipe"]
  })
  const waiting: Array<{ readonly resolve: (result: Result) => void; readonly reject: (error: Error) => void }> = []
  let said = ""
  let complaints = ""
  let ended: Error | undefined
  const fail = (why: string) => {
    ended ??= new Error(`the driver of ${who} ${why}: ${complaints}`)
    for (const { reject } of waiting.splice(0)) reject(ended)
  }
  child.stderr.setEncoding("utf8").on("data", (text: string) => (complaints += text))
  child.stdout.setEncoding("latin1").on("data", (text: string) => {
    said += text
    for (let at = said.indexOf("\n"); at >= 0; at = said.indexOf("\n")) {
      waiting.shift()?.resolve(parseResult(said.slice(0, at)))
      said = said.slice(at + 1)
    }
  })
  child.stdin.on("error", () => undefined)
  child.once("error", (error) => fail(`did not start, ${error.message}`))
  child.once("close", (status, signal) => fail(`ended with ${signal ?? status}`))
  return {
    pid: child.pid ?? 0,
    call: (line) =>
      new Promise((resolve, reject) => {
        if (ended !== undefined) return reject(ended)
        waiting.push({ resolve, reject })
        child.stdin.write(`${line}\n`)
      }),
    signal: (name) => void child.kill(name),
    end: () => {
      child.stdin.end()
    }
  }
}

/** The drivers of one base, each started when first needed. */
export interface Drivers {
  readonly get: (who: Who) => Driver
  readonly started: () => ReadonlyArray<Driver>
  readonly end: () => void
}

export const makeDrivers = (program: string, base: string): Drivers => {
  const drivers = new Map<Who, Driver>()
  return {
    get: (who) => {
      const known = drivers.get(who)
      if (known !== undefined) return known
      const driver = startDriver(program, base, who)
      drivers.set(who, driver)
      return driver
    },
    started: () => [...drivers.values()],
    end: () => {
      for (const driver of drivers.values()) driver.end()
      drivers.clear()
    }
  }
}
