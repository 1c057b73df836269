/**
 * Filesystems are known to be started as `PROGRAM SOURCE MOUNTPOINT [-o OPTIONS]`, in the background, by
 * people who know libfuse and by mount.fuse3(8), for `mount -t fuse.bickford` and /etc/fstab.
 */
import { commandError, type CommandError, isSource } from "@bickford/daemon"

/** The arguments of a subcommand, for those in libfuse's manner; as they are when they are not. */
export const fromLibfuseArguments = (args: ReadonlyArray<string>): ReadonlyArray<string> | CommandError => {
  if (args.length === 1 && args[0] === "-V") return ["--version"]
  if (args.length === 1 && args[0] === "-h") return ["--help"]
  const places: Array<string> = []
  const options: Array<string> = []
  let foreground = false
  let debug = false
  for (let i = 0; i < args.length; i++) {
    const arg = args[i] ?? ""
    if (!arg.startsWith("-") || arg === "-") {
      if (places.length === 0 && !isSource(arg)) return args
      places.push(arg)
    } else if (arg === "-o") options.push("-o", args[++i] ?? "")
    else if (arg.startsWith("-o")) options.push("-o", arg.slice(2))
    else if (arg === "-f") foreground = true
    else if (arg === "-d") debug = foreground = true
    else if (arg !== "-s")
      return places.length === 0
        ? args
        : commandError(
            `unknown flag ${arg}; known beside a source: -o, -f (stay in the foreground), -d (log every request), -s`
          )
  }
  const [source, mountpoint, more] = places
  if (source === undefined) return args
  if (mountpoint === undefined || more !== undefined)
    return commandError(`${source}: expected one mountpoint: bickford SOURCE MOUNTPOINT [-o OPTIONS]`)
  return [
    "mount",
    ...(foreground ? [] : ["--background"]),
    ...(debug ? ["--debug"] : []),
    ...options,
    source,
    mountpoint
  ]
}
