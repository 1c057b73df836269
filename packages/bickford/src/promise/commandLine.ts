/** The command line of a program that mounts a filesystem of its own, as libfuse's `fuse_parse_cmdline` has it. */
import {
  emptyTarget,
  applyOption,
  contradiction,
  givenOption,
  helpOfOptions,
  rowOf,
  splitOptions,
  type Target
} from "@bickford/daemon/options"
import * as Data from "effect/Data"
import { readVersion } from "../version.ts"
import type { MountOptions } from "./mount.ts"

/** What a command line says. */
export interface CommandLine {
  /** The first argument that is no option. Undefined when there is none, as with `--help`. */
  readonly mountpoint: string | undefined
  /** `-f`, or `-d`: do not go into the background. */
  readonly foreground: boolean
  /** `-d`, `-o debug`: show every request and reply; `wireLog` does. */
  readonly debug: boolean
  /** `-s`. A mount is served by one thread in any case. */
  readonly singlethread: boolean
  /** `-h`, `--help`. */
  readonly showHelp: boolean
  /** `-V`, `--version`. */
  readonly showVersion: boolean
  /** For `mount`. */
  readonly options: MountOptions
  /**
   * What is not known here, in order: flags, more arguments, and `-o` with each option of the program's own. What the
   * program does not know either it should refuse.
   */
  readonly remaining: ReadonlyArray<string>
}

/** An option has a wrong value, or makes no sense here. */
export class CommandLineError extends Data.TaggedError("CommandLineError")<{
  /** The option's name: `max_write`, `-o`. */
  readonly option: string
  /** What is wrong with it. */
  readonly message: string
}> {
  /** As Node's errors have it. */
  readonly code = "ERR_INVALID_ARG_VALUE"
}

interface Flags {
  debug: boolean
  foreground: boolean
  singlethread: boolean
  showHelp: boolean
  showVersion: boolean
}

const flagNames: { readonly [flag: string]: keyof Flags } = {
  "-d": "debug",
  "-f": "foreground",
  "-s": "singlethread",
  "-h": "showHelp",
  "--help": "showHelp",
  "-V": "showVersion",
  "--version": "showVersion"
}

const escaped = (option: string): string => option.replace(/[\\,]/g, "\\$&")

/** Applies one option of `-o`; false when it is not for `mount`. */
const applyTo = (target: Target, option: string): boolean => {
  const given = givenOption(option)
  const row = rowOf(given.name)
  if (row === undefined) return false
  if (row.takes !== "refused" && (row.by === "source" || row.by === "command") && given.name !== "debug") return false
  const wrong = applyOption(target, given, row)
  if (wrong !== undefined) throw new CommandLineError({ option: given.name, message: wrong })
  return true
}

/**
 * Takes a command line apart, by default this process's: flags as libfuse's programs know them, options for `mount`,
 * and what remains for the program itself. Throws a `CommandLineError` that names the option.
 */
export const parseCommandLine = (argv: ReadonlyArray<string> = process.argv.slice(2)): CommandLine => {
  const flags: Flags = { debug: false, foreground: false, singlethread: false, showHelp: false, showVersion: false }
  const target = emptyTarget()
  const remaining: Array<string> = []
  const places: Array<string> = []
  const end = argv.indexOf("--")
  const known = end < 0 ? argv : argv.slice(0, end)
  const take = (options: string): void => {
    for (const option of splitOptions(options)) if (!applyTo(target, option)) remaining.push("-o", escaped(option))
  }
  const place = (argument: string): void => void (places.length === 0 ? places : remaining).push(argument)
  for (let i = 0; i < known.length; i++) {
    const argument = known[i] ?? ""
    const flag = Object.hasOwn(flagNames, argument) ? flagNames[argument] : undefined
    if (flag !== undefined) flags[flag] = true
    else if (argument === "-o") {
      const options = known[++i]
      if (options === undefined)
        throw new CommandLineError({ option: "-o", message: "-o needs options after it: -o NAME[=VALUE],..." })
      take(options)
    } else if (argument.startsWith("-o")) take(argument.slice(2))
    else if (argument.startsWith("-") && argument !== "-") remaining.push(argument)
    else place(argument)
  }
  if (end >= 0) argv.slice(end + 1).forEach(place)
  const wrong = contradiction(target)
  if (wrong !== undefined) throw new CommandLineError({ option: wrong.option, message: wrong.message })
  const debug = flags.debug || target.debug
  const options: MountOptions = {
    ...target.mount,
    ...(Object.keys(target.session).length === 0 ? {} : { session: target.session })
  }
  return { ...flags, debug, foreground: flags.foreground || debug, mountpoint: places[0], options, remaining }
}

/** The flags that `parseCommandLine` knows, a line each (libfuse's `fuse_cmdline_help`). */
export const commandLineHelp = (): string => `  -h, --help                    print this help
  -V, --version                 print the version
  -d, -o debug                  show every request and reply; stays in the foreground
  -f                            stay in the foreground
  -s                            one thread, as in any case
  -o NAME[=VALUE],...           options of the mount`

/** The options for `mount` that follow `-o`, a line each (libfuse's `fuse_lowlevel_help`). */
export const sessionHelp = (): string => helpOfOptions((row) => row.takes !== "refused" && row.by === "mount")

/** The version of this package (libfuse's `fuse_pkgversion`). */
export const version = (): string => readVersion()
