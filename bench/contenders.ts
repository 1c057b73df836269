/** Who is measured: how each is built, and how it is started. */
import { existsSync } from "node:fs"
import { mkdir, readFile } from "node:fs/promises"
import { availableParallelism } from "node:os"
import { basename, join } from "node:path"
import { attempt } from "../test/mount/processes.ts"
import { dataOperations } from "./operations.ts"
import type { Options } from "./options.ts"
import { benchFolder, buildFolder, rootFolder } from "./workplace.ts"

/** A program and its arguments. */
export type Command = readonly [string, ...ReadonlyArray<string>]

export interface Contender {
  readonly name: string
  /** What it keeps files in: itself, or a folder that it is given. */
  readonly serves: "memory" | "folder" | "nothing"
  /** As if it served so, it is compared with others: like with like, and everything with what serves nothing. */
  readonly comparedAs?: Contender["serves"]
  /** The only ones that it is a measure of. */
  readonly operations?: ReadonlyArray<string>
  /** Builds what has to be built. Fails with the reason when it cannot be had here. */
  readonly prepare: () => Promise<void>
  /** The server that stays in the foreground; undefined when the folder itself is measured. */
  readonly command: ((mountpoint: string, storage: string) => Command) | undefined
}

const must = async (command: string, args: ReadonlyArray<string>): Promise<string> => {
  const { status, stderr, stdout } = await attempt(command, args, { timeoutMilliseconds: 180_000 })
  if (status !== 0) throw new Error(`${command} ${args.join(" ")}: ${stderr.trim().split("\n").at(-1) ?? ""}`)
  return stdout
}

/** Compiles one file of C; `package` is asked of pkg-config. */
export const compile = async (
  source: string,
  name: string,
  options: { readonly package?: string } = {}
): Promise<string> => {
  await mkdir(buildFolder, { recursive: true })
  const target = join(buildFolder, name)
  const flags =
    options.package === undefined
      ? []
      : (await must("pkg-config", ["--cflags", "--libs", options.package])).trim().split(/\s+/)
  await must("gcc", ["-O2", "-pthread", source, "-o", target, ...flags])
  return target
}

const prepareNull = async (): Promise<void> => void (await compile(join(benchFolder, "servers", "null.c"), "null"))
const prepareMemory = async (): Promise<void> =>
  void (await compile(join(benchFolder, "servers", "memory.c"), "memory", { package: "fuse3" }))

const passthroughSource = "/usr/share/doc/libfuse3-dev/examples/passthrough_ll.c"
const fuseNativeFolder = join(buildFolder, "fuse-native")

/** Debian's interpreter, for which its packages are; another may come first on the path. */
const python = "/usr/bin/python3"

const prepareFuseNative = async (): Promise<void> => {
  if (existsSync(join(fuseNativeFolder, "node_modules", "fuse-native"))) return
  await mkdir(fuseNativeFolder, { recursive: true })
  await must("npm", [
    "install",
    "--prefix",
    fuseNativeFolder,
    "--no-save",
    "--no-audit",
    "--no-fund",
    "fuse-native@2.2.6"
  ])
}

const preparePassthrough = async (): Promise<void> => {
  if (!existsSync(passthroughSource))
    throw new Error(`${passthroughSource} is missing (Debian: apt-get install libfuse3-dev)`)
  await compile(passthroughSource, "passthrough_ll", { package: "fuse3" })
}

/** As it comes, with a pool of threads; or (`-s`) with one alone, which the kernel need not choose among. */
const passthroughLl =
  (...more: ReadonlyArray<string>): Contender["command"] =>
  (mountpoint, storage) => [
    join(buildFolder, "passthrough_ll"),
    "-f",
    ...more,
    "-o",
    `source=${storage},timeout=0,allow_other`,
    mountpoint
  ]

/**
 * The command of the checkout in `root`. Caches of names and attributes off, no permission checks: every call reaches
 * the server, as often for each.
 */
export const bickfordOf =
  (root: string, source: string, more = ""): Contender["command"] =>
  (mountpoint, storage) => [
    process.execPath,
    "--conditions=development",
    "--disable-warning=ExperimentalWarning",
    // The command by the older of its two names: versions of before have it.
    join(root, "packages", "daemon", "src", "main.ts"),
    "mount",
    "-o",
    `entry_timeout=0,attr_timeout=0,no_default_permissions${more}`,
    source === "passthrough:"
      ? `${source}${storage}`
      : source === "sqlite:"
        ? `${source}${join(storage, "store")}`
        : source,
    mountpoint
  ]

const ours = (source: string, more = ""): Contender["command"] => bickfordOf(rootFolder, source, more)

/** What the others are compared with: no filesystem, and one that does nothing. */
const floors: ReadonlyArray<Contender> = [
  {
    name: "plain",
    serves: "folder",
    comparedAs: "nothing",
    prepare: async () => {},
    command: undefined
  },
  {
    name: "null",
    serves: "nothing",
    prepare: prepareNull,
    command: (mountpoint) => [join(buildFolder, "null"), mountpoint]
  },
  {
    name: "null-passthrough",
    serves: "folder",
    operations: dataOperations,
    prepare: prepareNull,
    command: (mountpoint, storage) => [join(buildFolder, "null"), mountpoint, join(storage, "file")]
  }
]

const inMemory: ReadonlyArray<Contender> = [
  {
    name: "libfuse-memory",
    serves: "memory",
    prepare: prepareMemory,
    command: (mountpoint) => [join(buildFolder, "memory"), mountpoint, "-f", "-s", "-o", "allow_other"]
  },
  {
    name: "libfuse-memory-no-open",
    serves: "memory",
    prepare: prepareMemory,
    command: (mountpoint) => [join(buildFolder, "memory"), mountpoint, "-f", "-s", "-o", "allow_other,no_open"]
  },
  {
    name: "fuse-native",
    serves: "memory",
    prepare: prepareFuseNative,
    command: (mountpoint) => [
      process.execPath,
      join(benchFolder, "servers", "fuseNative.cjs"),
      fuseNativeFolder,
      mountpoint
    ]
  },
  {
    name: "pyfuse3",
    serves: "memory",
    prepare: async () => void (await must(python, ["-c", "import pyfuse3, trio"])),
    command: (mountpoint) => [python, join(benchFolder, "servers", "memory.py"), mountpoint]
  }
]

/** The server of another project, in a directory that the caller names. */
const besideIn = (directory: string): Contender => ({
  name: "beside",
  serves: "memory",
  prepare: async () => {},
  command: (mountpoint: string): Command => [process.execPath, join(directory, "srv.mjs"), mountpoint, "dev"]
})

const overDirectories: ReadonlyArray<Contender> = [
  {
    name: "passthrough_ll",
    serves: "folder",
    prepare: preparePassthrough,
    command: passthroughLl()
  },
  {
    name: "passthrough_ll-s",
    serves: "folder",
    prepare: preparePassthrough,
    command: passthroughLl("-s")
  },
  {
    name: "bindfs",
    serves: "folder",
    prepare: async () => void (await must("bindfs", ["--version"])),
    command: (mountpoint, storage) => [
      "bindfs",
      "-f",
      "-s",
      "-o",
      "entry_timeout=0,attr_timeout=0,negative_timeout=0",
      storage,
      mountpoint
    ]
  }
]

/** One for each CPU: with fewer than two the mounting thread serves. */
const isolates = availableParallelism()

/** The kernel offers rings to mounts that begin while this is Y. */
const prepareRings = async (): Promise<void> => {
  const parameter = "/sys/module/fuse/parameters/enable_uring"
  const value = (await readFile(parameter, "latin1").catch(() => "absent")).trim()
  if (value !== "Y") throw new Error(`${parameter} is ${value}; set it to Y for the run`)
}

const ownInMemory: ReadonlyArray<Contender> = [
  {
    name: "bickford-memory",
    serves: "memory",
    prepare: async () => {},
    command: ours("memory:")
  },
  {
    name: "bickford-memory-rings",
    serves: "memory",
    prepare: prepareRings,
    command: ours("memory:", ",max_threads=1")
  }
]

const ownStored: ReadonlyArray<Contender> = [
  {
    name: "bickford-passthrough",
    serves: "folder",
    prepare: async () => {},
    command: ours("passthrough:")
  },
  {
    name: "bickford-passthrough-rings",
    serves: "folder",
    prepare: prepareRings,
    command: ours("passthrough:", ",max_threads=1")
  },
  {
    name: "bickford-passthrough-isolates",
    serves: "folder",
    prepare: prepareRings,
    command: ours("passthrough:", `,max_threads=${isolates}`)
  },
  {
    name: "bickford-passthrough-no-xattr",
    serves: "folder",
    prepare: async () => {},
    command: ours("passthrough:", ",no_xattr")
  },
  {
    name: "bickford-sqlite",
    serves: "folder",
    comparedAs: "memory",
    prepare: async () => {},
    command: ours("sqlite:")
  }
]

/** A store in a database of the caller's, in a schema of its own each time that it is served. */
const inDatabase = (given: string): Contender => ({
  name: "bickford-postgres",
  serves: "memory",
  prepare: async () => {},
  command: (mountpoint, storage) => {
    const url = new URL(given)
    url.searchParams.set("schema", `bench_${process.pid}_${basename(mountpoint).replaceAll(/[^a-z0-9]/g, "_")}`)
    return bickfordOf(rootFolder, url.href)?.(mountpoint, storage) ?? ["false"]
  }
})

/** In the order of the report. */
export const contenders = ({ beside, postgres }: Pick<Options, "beside" | "postgres">): ReadonlyArray<Contender> => [
  ...floors,
  ...inMemory,
  ...(beside === undefined ? [] : [besideIn(beside)]),
  ...ownInMemory,
  ...overDirectories,
  ...ownStored,
  ...(postgres === undefined ? [] : [inDatabase(postgres)])
]
