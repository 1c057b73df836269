/** `-o` options, named as in mount.fuse(8) and tmpfs(5). */
import type { MemoryOptions, Owner, PassthroughOptions } from "@bickford/backends"
import type { MountOptions } from "@bickford/session"
import * as Result from "effect/Result"
import { type CommandError, commandError } from "./CommandError.ts"
import { nearest } from "./nearest.ts"

type Writable<A> = { -readonly [K in keyof A]: A[K] }

/** What `-o` says, sorted by who needs it. */
export interface ParsedOptions {
  readonly mount: Partial<Omit<MountOptions, "mountpoint" | "backend" | "session">>
  readonly memory: MemoryOptions
  readonly passthrough: PassthroughOptions
  readonly owner: Owner
  readonly session: NonNullable<MountOptions["session"]>
  /** A server that is killed leaves no dead mountpoint. */
  readonly autoUnmount: boolean
}

interface Target {
  readonly mount: Writable<ParsedOptions["mount"]>
  readonly memory: Writable<MemoryOptions>
  readonly passthrough: Writable<PassthroughOptions>
  readonly owner: Writable<Owner>
  readonly session: Writable<ParsedOptions["session"]>
  autoUnmount: boolean
}

type Row =
  | { readonly takes: "nothing"; readonly help: string; readonly apply: (target: Target) => void }
  | { readonly takes: "text"; readonly help: string; readonly apply: (target: Target, value: string) => void }
  | {
    readonly takes: "number" | "octal" | "seconds" | "size"
    readonly help: string
    readonly apply: (target: Target, value: number) => void
  }

const setAtime = ({ mount }: Target, noatime: boolean, strictatime: boolean): void => {
  mount.noatime = noatime
  mount.strictatime = strictatime
}

const rows: { readonly [name: string]: Row } = {
  ro: { takes: "nothing", help: "read-only", apply: (t) => (t.mount.readOnly = true) },
  rw: { takes: "nothing", help: "read and write (the default)", apply: (t) => (t.mount.readOnly = false) },
  allow_other: {
    takes: "nothing",
    help: "let other users in (root's mounts do; others need user_allow_other in /etc/fuse.conf)",
    apply: (t) => (t.mount.allowOther = true)
  },
  default_permissions: {
    takes: "nothing",
    help: "let the kernel check permissions by mode and owner (the default)",
    apply: (t) => (t.mount.defaultPermissions = t.session.posixAcl = true)
  },
  no_default_permissions: {
    takes: "nothing",
    help: "leave permissions to the filesystem; memory: checks none",
    apply: (t) => (t.mount.defaultPermissions = t.session.posixAcl = false)
  },
  noexec: { takes: "nothing", help: "no programs can be run from it", apply: (t) => (t.mount.noexec = true) },
  noatime: { takes: "nothing", help: "reading changes no times", apply: (t) => setAtime(t, true, false) },
  relatime: {
    takes: "nothing",
    help: "the first read after a change, or in a day, marks the time (the default)",
    apply: (t) => setAtime(t, false, false)
  },
  strictatime: { takes: "nothing", help: "every read that the kernel asks for marks the time", apply: (t) => setAtime(t, false, true) },
  atime: { takes: "nothing", help: "undoes noatime", apply: (t) => (t.mount.noatime = false) },
  nodiratime: { takes: "nothing", help: "listing changes no times of directories", apply: (t) => (t.mount.nodiratime = true) },
  diratime: { takes: "nothing", help: "undoes nodiratime", apply: (t) => (t.mount.nodiratime = false) },
  auto_unmount: { takes: "nothing", help: "unmount when the server has died", apply: (t) => (t.autoUnmount = true) },
  fsname: { takes: "text", help: "the source shown in /proc/mounts", apply: (t, value) => (t.mount.fsname = value) },
  subtype: { takes: "text", help: "the type shown is fuse.SUBTYPE", apply: (t, value) => (t.mount.subtype = value) },
  max_read: { takes: "number", help: "the largest read, in bytes", apply: (t, value) => (t.mount.maxRead = value) },
  max_readahead: {
    takes: "number",
    help: "how far the kernel reads ahead, in bytes (default: 384 KiB, or 128 KiB where root does not mount)",
    apply: (t, value) => (t.session.maxReadahead = value)
  },
  entry_timeout: {
    takes: "seconds",
    help: "how long the kernel may trust a name",
    apply: (t, value) => (t.memory.entryTimeout = t.passthrough.entryTimeout = value)
  },
  attr_timeout: {
    takes: "seconds",
    help: "how long the kernel may trust attributes",
    apply: (t, value) => (t.memory.attrTimeout = t.passthrough.attrTimeout = value)
  },
  negative_timeout: {
    takes: "seconds",
    help: "how long the kernel may trust that a name is missing",
    apply: (t, value) => (t.memory.negativeTimeout = t.passthrough.negativeTimeout = value)
  },
  uid: { takes: "number", help: "the owner that every file is shown with", apply: (t, value) => (t.owner.uid = value) },
  gid: { takes: "number", help: "the group that every file is shown with", apply: (t, value) => (t.owner.gid = value) },
  umask: { takes: "octal", help: "every file is shown with the permissions 0777 without these", apply: (t, value) => (t.owner.umask = value) },
  mode: { takes: "octal", help: "the root folder's permissions", apply: (t, value) => (t.memory.mode = value) },
  size: {
    takes: "size",
    help: "the most bytes of data, with k, m or g (default: half of the memory)",
    apply: (t, value) => (t.memory.capacity = value)
  },
  no_xattr: {
    takes: "nothing",
    help: "no extended attributes",
    apply: (t) => (t.memory.xattrs = t.passthrough.xattrs = false)
  },
  writeback_cache: {
    takes: "nothing",
    help: "passthrough: the kernel keeps what is written, and writes it back later",
    apply: (t) => (t.passthrough.writebackCache = true)
  },
  no_kernel_passthrough: {
    takes: "nothing",
    help: "passthrough: data goes through this process, also where the kernel could do without",
    apply: (t) => (t.passthrough.kernelPassthrough = false)
  },
  self_wait_timeout: {
    takes: "seconds",
    help: "how long the server may wait for itself before it is let go, with every call (default 2; 0: for ever)",
    apply: (t, value) => (t.mount.selfWaitTimeout = value * 1000)
  },
  no_resend: {
    takes: "nothing",
    help: "calls that are lost with a worker are not delivered again, as before Linux 6.9: they fail, and it is mounted anew",
    apply: (t) => (t.session.resend = false)
  },
  nr_inodes: { takes: "size", help: "the most files and folders", apply: (t, value) => (t.memory.maxInodes = value) }
}

/**
 * What mount(8) and /etc/fstab say besides, and what is so in any case: devices and set-user-ID are never
 * honoured, and the rest is not the filesystem's matter.
 */
const withoutEffect = new Set([
  "defaults", "auto", "noauto", "user", "nouser", "users", "owner", "group", "nofail", "_netdev", "async",
  "exec", "suid", "nosuid", "dev", "nodev", "lazytime", "nolazytime", "silent", "loud"
])
const isForOthers = (name: string): boolean => withoutEffect.has(name) || name.startsWith("x-") || name === "comment"

/** One line for each option, for the help. */
export const optionsHelp: string = Object.entries(rows)
  .map(([name, row]) => `  ${(row.takes === "nothing" ? name : `${name}=${row.takes.toUpperCase()}`).padEnd(26)}${row.help}`)
  .join("\n")

const units: { readonly [unit: string]: number } = { "": 1, k: 1024, m: 1024 ** 2, g: 1024 ** 3 }

const parseNumber = (takes: "number" | "octal" | "seconds" | "size", value: string): number | undefined => {
  switch (takes) {
    case "number":
      return /^\d{1,10}$/.test(value) && Number(value) <= 0xffff_ffff ? Number(value) : undefined
    case "octal":
      return /^[0-7]{1,5}$/.test(value) && Number.parseInt(value, 8) <= 0o7777 ? Number.parseInt(value, 8) : undefined
    case "seconds":
      return /^\d{1,10}(\.\d+)?$/.test(value) ? Number(value) : undefined
    case "size": {
      const [, digits, unit = ""] = /^(\d{1,12})([kmg]?)$/i.exec(value) ?? []
      const bytes = Number(digits) * (units[unit.toLowerCase()] ?? 1)
      return Number.isSafeInteger(bytes) ? bytes : undefined
    }
  }
}

/** Splits at commas; a backslash keeps the character after it, as in libfuse. */
const split = (text: string): ReadonlyArray<string> => {
  const parts: Array<string> = []
  let part = ""
  for (let i = 0; i < text.length; i++) {
    const c = text[i]
    if (c === "\\" && i + 1 < text.length) part += text[++i]
    else if (c === ",") {
      parts.push(part)
      part = ""
    } else part += c
  }
  parts.push(part)
  return parts.filter((p) => p !== "")
}

const applyOption = (target: Target, option: string): CommandError | undefined => {
  const at = option.indexOf("=")
  const name = at < 0 ? option : option.slice(0, at)
  const value = at < 0 ? undefined : option.slice(at + 1)
  const row = Object.hasOwn(rows, name) ? rows[name] : undefined
  if (row === undefined && isForOthers(name)) return undefined
  if (row === undefined) {
    return commandError(`unknown option ${name}; did you mean ${nearest(name, Object.keys(rows))}?`)
  }
  if (row.takes === "nothing") {
    if (value !== undefined) return commandError(`option ${name} takes no value`)
    row.apply(target)
    return undefined
  }
  if (value === undefined || value === "") return commandError(`option ${name} needs a value: ${name}=${row.takes.toUpperCase()}`)
  if (row.takes === "text") {
    row.apply(target, value)
    return undefined
  }
  const number = parseNumber(row.takes, value)
  if (number === undefined) return commandError(`option ${name}: ${value} is not a valid ${row.takes}`)
  row.apply(target, number)
  return undefined
}

/** Parses the values of `-o` flags, each with options separated by commas; a later one wins. */
export const parseMountOptions = (texts: ReadonlyArray<string>): Result.Result<ParsedOptions, CommandError> => {
  const target: Target = { mount: {}, memory: {}, passthrough: {}, owner: {}, session: {}, autoUnmount: false }
  for (const text of texts) {
    for (const option of split(text)) {
      const error = applyOption(target, option)
      if (error !== undefined) return Result.fail(error)
    }
  }
  return Result.succeed(target)
}
