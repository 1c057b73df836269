import { findMount } from "@bickford/transport"
import { assert, describe, it } from "@effect/vitest"
import { mkdtemp, realpath, rm } from "node:fs/promises"
import { tmpdir } from "node:os"
import { join } from "node:path"
import {
  commandLineHelp,
  CommandLineError,
  memory,
  mount,
  parseCommandLine,
  sessionHelp,
  version
} from "../src/index.ts"
import { optionTable } from "../../daemon/src/options/table.ts"

const nothing = {
  debug: false,
  foreground: false,
  singlethread: false,
  showHelp: false,
  showVersion: false,
  mountpoint: undefined,
  options: {},
  remaining: []
}

const errorOf = (argv: ReadonlyArray<string>): CommandLineError => {
  try {
    parseCommandLine(argv)
  } catch (error) {
    if (error instanceof CommandLineError) return error
    throw error
  }
  throw new Error(`${argv.join(" ")} was taken`)
}

describe("parseCommandLine", () => {
  it("takes libfuse's flags, the mountpoint and the mount's options", () => {
    assert.deepStrictEqual(parseCommandLine([]), nothing)
    assert.deepStrictEqual(parseCommandLine(["-h"]), { ...nothing, showHelp: true })
    assert.deepStrictEqual(parseCommandLine(["--version"]), { ...nothing, showVersion: true })
    assert.deepStrictEqual(
      parseCommandLine(["-f", "-s", "/mnt", "-oro,fsname=a\\,b", "-o", "max_write=8192,nofail", "-o", "noatime"]),
      {
        ...nothing,
        foreground: true,
        singlethread: true,
        mountpoint: "/mnt",
        options: { readOnly: true, fsname: "a,b", noatime: true, strictatime: false, session: { maxWrite: 8192 } }
      }
    )
  })

  it("has debug stay in the foreground, however it is asked for", () => {
    for (const argv of [["-d"], ["-odebug"], ["-o", "debug"]])
      assert.deepStrictEqual(parseCommandLine(argv), { ...nothing, debug: true, foreground: true })
  })

  it("leaves to the program what is its own, in order, such that it can be parsed again", () => {
    assert.deepStrictEqual(
      parseCommandLine(["--name=x", "/mnt", "-o", "greeting=a\\,b,ro,size=1m", "more", "-x", "--", "-y"]).remaining,
      ["--name=x", "-o", "greeting=a\\,b", "-o", "size=1m", "more", "-x", "-y"]
    )
    assert.strictEqual(parseCommandLine(["--", "-mnt"]).mountpoint, "-mnt")
  })

  it("throws an error that names the option", () => {
    for (const [argv, option, message] of [
      [["-o", "max_write=1"], "max_write", /from 4096 to 268431360/],
      [["-oro=1"], "ro", /takes no value/],
      [["-o", "clone_fd"], "clone_fd", /one thread serves a mount/],
      [["-o", "max_idle_threads=4"], "max_idle_threads", /use the daemon/],
      [["-o", "blksize=1024"], "blksize", /blkdev/],
      [["-o", "max_read=100"], "max_read", /at least 4096/],
      [["/mnt", "-o"], "-o", /needs options/]
    ] as const) {
      const error = errorOf(argv)
      assert.deepStrictEqual(
        [error.option, error.code, error.name],
        [option, "ERR_INVALID_ARG_VALUE", "CommandLineError"]
      )
      assert.match(error.message, message)
    }
  })

  it("gives options that mount takes", async () => {
    const mountpoint = await realpath(await mkdtemp(join(tmpdir(), "bickford-command-line-")))
    try {
      const { mountpoint: place = "", options } = parseCommandLine([
        mountpoint,
        "-oro,noexec,fsname=mine",
        "-o",
        "max_read=65536,max_background=7"
      ])
      const mounted = await mount(place, memory(), options)
      try {
        const entry = findMount(mountpoint)
        assert.deepStrictEqual(
          [entry?.source, entry?.options.includes("noexec"), entry?.superOptions.includes("max_read=65536")],
          ["mine", true, true]
        )
      } finally {
        await mounted.unmount()
      }
    } finally {
      await rm(mountpoint, { recursive: true })
    }
  })
})

describe("help and version", () => {
  it("of the command line has every flag", () => {
    for (const flag of ["-h", "--help", "-V", "--version", "-d", "-f", "-s", "-o"])
      assert.match(commandLineHelp(), new RegExp(`(^|\\s)${flag}\\b`, "m"))
  })

  it("of a session has the options that mount takes, and no others", () => {
    for (const [name, row] of Object.entries(optionTable)) {
      const isThere = new RegExp(`^  ${name}(=| )`, "m").test(sessionHelp())
      assert.strictEqual(isThere, row.takes !== "refused" && row.by === "mount", name)
    }
  })

  it("are of this package", () => {
    assert.match(version(), /^\d+\.\d+\.\d+/)
  })
})
