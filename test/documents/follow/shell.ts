/** Follows a block of commands, as somebody would who reads it: each line in turn, servers in a terminal of their own. */
import { instead, reader } from "./places.ts"
import { mountpoints, type Terminal } from "./Terminal.ts"

/** A line as it is typed: without its comment and what is optional, the reader's own words in place of those in capitals. */
const typed = (line: string): string =>
  line
    .replace(/(^|\s+)#.*$/, "")
    .replace(/\s*\[[^\]]*\]/g, "")
    .replace(/(?<!\w)[A-Z]{3,}(?:\.\.\.|(?!\w))/g, (word) => reader[word] ?? word)
    .trim()

const isMount = (command: string): boolean =>
  /^([A-Z_]+=\S+ )*(npx )?bickford (mount|[a-z]+:)|^npm start|^npm run example|^mount /.test(command)

/** What goes on until Ctrl-C. */
const isServer = (command: string): boolean =>
  /^([A-Z_]+=\S+ )*(npx )?bickford mount (?!--)/.test(command) ||
  /^bickford (daemon|dashboard|log |trace )|^npm start|^npm run example/.test(command)

/** Ends what is mounted where a command is to mount. */
export const makeRoom = async (terminal: Terminal, command: string): Promise<void> => {
  const words = command.split(" ")
  const taken = mountpoints().filter((place) => words.some((word) => place === word || place.endsWith(`/${word}`)))
  if (taken.length === 0) return
  await terminal.interrupt((served) => served.split(" ").some((word) => taken.some((place) => place.endsWith(word))))
  for (const place of mountpoints().filter((left) => taken.includes(left))) await terminal.run(`umount ${place}`)
}

/** A store, and a branch, is used by one process at a time. */
const releaseStore = async (terminal: Terminal, command: string): Promise<void> => {
  if (/^bickford (audit|branch|checkpoint|commit|diff|reset) /.test(command))
    await terminal.interrupt((served) => served.includes(" workspace:"))
  const [, store] = /^bickford fsck (\S+)/.exec(command) ?? []
  if (store !== undefined) await terminal.interrupt((served) => served.includes(`sqlite:${store} `))
}

/** True once a server does what it is for. */
const readiness = (terminal: Terminal, command: string): ((said: string) => boolean | Promise<boolean>) => {
  if (command.startsWith("bickford daemon"))
    return () =>
      terminal.run("bickford status").then(
        (status) => status.includes("  running  "),
        () => false
      )
  // A line for each request: one is made.
  if (/^bickford (log|trace) /.test(command))
    return (said) => said !== "" || terminal.run("ls /srv/data").then(() => false)
  if (command.startsWith("bickford dashboard")) return (said) => said.includes("http://")
  return (said) => / is mounted at |^serving /m.test(said)
}

/** The commands that a server prints for its users to try. */
const offered = (said: string): ReadonlyArray<string> =>
  Array.from(said.matchAll(/^curl .*$/gm), ([command]) => command)

/** Starts what goes on until Ctrl-C; what it offers to its users is run. */
const startServer = async (terminal: Terminal, command: string): Promise<void> => {
  const said = await terminal.serve(command, readiness(terminal, command))
  for (const line of offered(said)) await terminal.run(line)
  if (/^bickford (dashboard|log|trace)/.test(command)) await terminal.interrupt((served) => served === command)
}

const followLine = async (terminal: Terminal, given: string, substituted: (reason: string) => void): Promise<void> => {
  const other = instead.find((one) => one.command.test(given))
  if (other !== undefined) substituted(`${given}: ${other.reason}`)
  const command = other === undefined ? given : given.replace(other.command, other.run)
  const [, name, value] = /^export (\w+)=(.*)$/.exec(command) ?? []
  if (name !== undefined) return terminal.set(name, value ?? "")
  if (isMount(command)) await makeRoom(terminal, command)
  if (isServer(command) && !command.endsWith("--help")) return startServer(terminal, command)
  await releaseStore(terminal, command)
  await terminal.run(command)
}

/** Follows a block; how many commands it has. */
export const followShell = async (
  terminal: Terminal,
  content: string,
  substituted: (reason: string) => void
): Promise<number> => {
  const commands = content
    .split("\n")
    .map(typed)
    .filter((command) => command !== "")
  for (const command of commands) await followLine(terminal, command, substituted)
  return commands.length
}
