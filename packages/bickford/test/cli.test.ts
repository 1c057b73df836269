/** The command line without a mount: help, version, and errors of one line. */
import { assert, describe, it } from "@effect/vitest"
import { execFile } from "node:child_process"
import { dirname, join } from "node:path"
import { fileURLToPath } from "node:url"

const bin = join(dirname(dirname(fileURLToPath(import.meta.url))), "bin", "bickford.cjs")

const bickford = (...args: ReadonlyArray<string>) =>
  new Promise<{ readonly status: number | null; readonly stdout: string; readonly stderr: string }>((resolve) => {
    const child = execFile(process.execPath, [bin, ...args], (_, stdout, stderr) =>
      resolve({ status: child.exitCode, stdout, stderr })
    )
  })

describe("bickford", () => {
  it("--version and --help succeed", async () => {
    const version = await bickford("--version")
    assert.deepStrictEqual([version.status, version.stderr], [0, ""])
    assert.match(version.stdout, /\bv\d+\.\d+\.\d+\b/)
    assert.match(version.stdout, /^FUSE protocol version 7\.\d+$/m)
    const help = await bickford("--help")
    assert.deepStrictEqual([help.status, help.stderr], [0, ""])
    assert.include(help.stdout, "unmount")
    const mountHelp = await bickford("mount", "--help")
    assert.include(mountHelp.stdout, "allow_other")
  })

  const wrong: ReadonlyArray<readonly [string, ReadonlyArray<string>, RegExp]> = [
    ["a missing argument", ["mount", "memory:"], /MOUNTPOINT/],
    ["a command that does not exist", ["moun", "x"], /mount/],
    ["a flag that does not exist", ["unmount", "--lazzy", "/"], /--lazy/],
    ["a source that does not exist", ["mount", "disk:", "/tmp"], /unknown source disk:/],
    [
      "an option that does not exist",
      ["mount", "-o", "ro,alow_other", "memory:", "/tmp"],
      /alow_other; did you mean allow_other\?/
    ],
    ["an option without its value", ["mount", "-o", "fsname", "memory:", "/tmp"], /fsname=TEXT/],
    ["an option with a wrong value", ["mount", "-o", "uid=bob", "memory:", "/tmp"], /uid: bob is not a valid number/],
    [
      "a mountpoint that does not exist",
      ["mount", "memory:", "/does/not/exist"],
      /\/does\/not\/exist: no such directory/
    ],
    ["unmounting what is no mountpoint", ["unmount", dirname(bin)], /is not a mountpoint/]
  ]
  for (const [name, args, message] of wrong) {
    it(`${name} is one line on stderr and a failure`, async () => {
      const outcome = await bickford(...args)
      assert.notStrictEqual(outcome.status, 0)
      assert.strictEqual(outcome.stdout, "")
      assert.match(outcome.stderr, /^bickford: [^\n]+\n$/)
      assert.match(outcome.stderr, message)
    })
  }
})
