import { assert, describe, it } from "@effect/vitest"
import { readFileSync } from "node:fs"
import * as Result from "effect/Result"
import { optionsDocument } from "../../../scripts/options-doc.ts"
import { decodeConfig } from "../src/config/readConfig.ts"
import { emptyTarget, optionsHelp, parseMountOptions } from "../src/options/mountOptions.ts"
import { optionTable } from "../src/options/table.ts"
import { sourceKinds } from "../src/sources/index.ts"

const kindOf = (name: string) => sourceKinds.find(({ kind }) => kind === name)

const parse = (options: ReadonlyArray<string>, kind = "memory") => parseMountOptions(options, kindOf(kind))

const messageOf = (options: ReadonlyArray<string>, kind = "memory"): string =>
  Result.match(parse(options, kind), { onFailure: ({ message }) => message, onSuccess: () => "" })

/** What an option can only be seen beside. */
const before: { readonly [name: string]: string } = {
  congestion_threshold: "max_background=65535",
  blksize: "blkdev",
  default_permissions: "no_default_permissions",
  async_read: "sync_read",
  rw: "ro",
  atime: "noatime",
  relatime: "noatime",
  norelatime: "noatime",
  diratime: "nodiratime",
  async: "sync",
  exec: "noexec",
  symfollow: "nosymfollow",
  nosuid: "suid",
  nodev: "dev"
}
const after: { readonly [name: string]: string } = { writeback_cache: "no_kernel_passthrough" }

const values = { nothing: "", refused: "", text: "=a", number: "=4096", octal: "=22", seconds: "=3", size: "=1m" }

/** An option in use; undefined where the option itself is to be left out. */
const example = (name: string, own: string | undefined): string =>
  [before[name], own, after[name]].filter((part) => part !== undefined).join(",")

describe("-o", () => {
  it("sorts options by who needs them; a later one wins", () => {
    assert.deepStrictEqual(
      parse([
        "ro,fsname=a\\,b,max_read=65536",
        "rw,uid=1000,mode=1777,size=16m,attr_timeout=0.5,context=a:b:c:s0:c1\\,c2"
      ]),
      Result.succeed({
        ...emptyTarget(),
        mount: { readOnly: false, fsname: "a,b", maxRead: 65536, securityContexts: { context: "a:b:c:s0:c1,c2" } },
        memory: { mode: 0o1777, capacity: 16 * 1024 * 1024, attrTimeout: 0.5 },
        passthrough: { attrTimeout: 0.5 },
        owner: { uid: 1000 }
      })
    )
  })

  it("refuses values that do not fit, and says what fits", () => {
    for (const [option, why] of [
      ["uid=-1", "not a valid number"],
      ["uid=4294967295", "from 0 to 4294967294"],
      ["mode=888", "not a valid octal"],
      ["mode=17777", "from 00 to 07777"],
      ["umask=1000", "from 00 to 0777"],
      ["size=1t", "not a valid size"],
      ["size=0", "from 1"],
      ["nr_inodes=0", "from 1"],
      ["size=999999999999999g", "out of range"],
      ["entry_timeout=soon", "not a valid seconds"],
      ["entry_timeout=4294967296", "out of range"],
      ["self_wait_timeout=4294968", "out of range"],
      ["ro=1", "takes no value"],
      ["max_read=", "needs a value: max_read=NUMBER"],
      ["max_read=100", "0 or at least 4096"],
      ["max_write=4095", "from 4096 to 268431360"],
      ["max_write=268431361", "from 4096 to 268431360"],
      ["max_background=0", "from 1 to 65535"],
      ["congestion_threshold=65", "more than max_background (64)"],
      ["blksize=1024", "give blkdev beside it"],
      ["blkdev,blksize=1000", "not a power of two"],
      ["blkdev,blksize=256", "from 512"]
    ] as const) {
      assert.include(messageOf([option]), why, option)
      assert.match(messageOf([option]), /^option /)
    }
  })

  it("takes no option from Object.prototype", () => {
    assert.isTrue(Result.isFailure(parse(["constructor"])))
  })

  it("of writeback_cache wants what it needs beside it", () => {
    assert.include(messageOf(["writeback_cache"], "passthrough"), "writeback_cache needs no_kernel_passthrough")
    assert.strictEqual(messageOf(["writeback_cache,no_kernel_passthrough"], "passthrough"), "")
  })

  for (const { kind, operand } of sourceKinds) {
    it(`each changes something for ${kind}:, or is refused with the reason, on the command and in the configuration`, () => {
      for (const [name, row] of Object.entries(optionTable)) {
        const option = example(name, `${name}${values[row.takes]}`)
        const parsed = parse([option], kind)
        const section = operand === undefined ? `${kind}:` : `${kind}:/x`
        const config = decodeConfig(
          `[mounts.a]\nsource = "${section}"\nmountpoint = "/mnt"\noptions = ["${option}"]\n`,
          "/"
        )
        if (Result.isFailure(parsed)) {
          assert.match(parsed.failure.message, new RegExp(`option ${name}(:| is not for ${kind}:) ?[^ ]+ [^ ]+`), name)
          assert.isTrue(
            Result.isFailure(config) && config.failure.includes(`mounts.a.options: ${parsed.failure.message}`),
            `${name}: ${JSON.stringify(config)}`
          )
        } else if (row.takes !== "refused" && row.by === "nobody")
          assert.deepStrictEqual(parsed.success, emptyTarget(), name)
        else {
          assert.notStrictEqual(row.takes, "refused", name)
          assert.notDeepEqual(parsed, parse([example(name, undefined)], kind), `${name} changes nothing`)
        }
      }
    })
  }

  it("of one kind of source given to another names both, and who takes it", () => {
    for (const [option, takers] of [
      ["size=1m", "memory:, sqlite:, postgres:, workspace:"],
      ["mode=755", "memory:, sqlite:, postgres:"],
      ["nr_inodes=5", "memory:, sqlite:, postgres:, workspace:"]
    ] as const) {
      assert.strictEqual(
        messageOf([option], "passthrough"),
        `option ${option.split("=")[0]} is not for passthrough: it is for ${takers}`
      )
    }
    assert.strictEqual(
      messageOf(["no_kernel_passthrough"]),
      "option no_kernel_passthrough is not for memory: it is for passthrough:"
    )
    assert.strictEqual(
      messageOf(["entry_timeout=1"], "module"),
      "option entry_timeout is not for module: it is for memory:, sqlite:, postgres:, passthrough:, workspace:"
    )
  })

  it("are in docs/options.md as the table has them", () => {
    assert.strictEqual(readFileSync(new URL("../../../docs/options.md", import.meta.url), "utf8"), optionsDocument())
  })

  it("are all in the help", () => {
    for (const name of Object.keys(optionTable)) assert.match(optionsHelp, new RegExp(`(^  |[ ,:])${name}\\b`, "m"))
  })
})
