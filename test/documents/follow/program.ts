/** Runs a block of TypeScript by what it is: a test, a module with a backend, one with an Effect, or a program. */
import { join } from "node:path"
import { makeRoom } from "./shell.ts"
import { mountpoints, type Terminal } from "./Terminal.ts"

/** How blocks of one kind are run. */
type Way = (terminal: Terminal, file: string, mountpoint: string) => Promise<void>

/** A program that ends, or mounts: then it ends with an unmount, if it does not unmount by itself meanwhile. */
const runProgram: Way = async (terminal, file) => {
  const command = `node ${file} mnt`
  await makeRoom(terminal, command)
  const others = mountpoints()
  const made = () => mountpoints().find((place) => !others.includes(place))
  await terminal.serve(command, () => made() !== undefined)
  const place = made()
  if (place === undefined) return
  await terminal.run(`{ ls -l ${place} && umount ${place}; } || ! mountpoint -q ${place}`)
  await terminal.interrupt()
}

const serveBackend: Way = async (terminal, file) => {
  await terminal.interrupt()
  await terminal.run(`bickford mount --background module:${file} mnt && ls -l mnt && umount mnt`)
}

/** The Effect, which may never end of itself. */
const runEffect =
  (name: string): Way =>
  async (terminal, file, mountpoint) => {
    const program = `
      import * as Effect from "effect/Effect"
      import { ${name} } from "./${file}"
      const stop = new AbortController()
      process.once("SIGINT", () => stop.abort())
      const exit = await Effect.runPromiseExit(Effect.andThen(Effect.sync(() => console.log("begun")), ${name}), { signal: stop.signal })
      if (exit._tag === "Failure" && !stop.signal.aborted) throw exit.cause`
    await terminal.run(`cat >run-${file} <<'end'\n${program}\nend`)
    await terminal.serve(`node run-${file}`, (said) => said.includes("begun"))
    if (mountpoints().includes(mountpoint)) await terminal.run("umount mnt")
    await terminal.interrupt()
  }

const wayOf = (content: string): Way => {
  if (content.includes(`from "node:test"`))
    return async (terminal, file) => void (await terminal.run(`node --test ${file}`))
  if (content.includes(`from "@effect/vitest"`))
    return async (terminal, file) => void (await terminal.run(`vitest run --root . ${file}`))
  if (/^export const backend\b/m.test(content)) return serveBackend
  const [, name] = /^export const (\w+) = Effect/m.exec(content) ?? []
  return name === undefined ? runProgram : runEffect(name)
}

/** Runs the block that lies in `file` of the terminal's directory. */
export const runBlock = (terminal: Terminal, directory: string, file: string, content: string): Promise<void> =>
  wayOf(content)(terminal, file, join(directory, "mnt"))
