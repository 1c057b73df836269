/** The audit of a branch on the real kernel: what is in it makes the same tree again. */
import { assert, describe, it } from "@effect/vitest"
import { spawn } from "node:child_process"
import * as fs from "node:fs"
import { mkdtemp, rm } from "node:fs/promises"
import { tmpdir } from "node:os"
import { basename, join } from "node:path"
import { bickford, root, withMount } from "./bickford.ts"
import { ended } from "./processes.ts"
import { bytesOf, treeOf } from "./programs/randomChanges.ts"

type AuditTime = "now" | readonly [number, number]

/** A line of `bickford audit --json`. */
interface Line {
  readonly id: number
  readonly op: string
  readonly pid: number
  readonly program: string
  readonly path: string | null
  readonly to?: string
  readonly from?: string
  readonly flags?: number
  readonly target?: string
  readonly mode?: number
  readonly size?: number
  readonly offset?: number
  readonly length?: number
  readonly mtime?: AuditTime
}

const program = join(root, "test/mount/programs/randomChanges.ts")
const processes = 8
const changes = Number(process.env["CHANGES"] ?? 10_000)

const fill = (base: string): void => {
  for (const directory of ["a", "a/b", "b", "c/d/a"]) fs.mkdirSync(join(base, directory), { recursive: true })
  fs.writeFileSync(join(base, "a/a"), Buffer.alloc(150_000, "base"))
  fs.writeFileSync(join(base, "a/b/c"), "small")
  fs.linkSync(join(base, "a/a"), join(base, "b/d"))
  fs.symlinkSync("a", join(base, "c/b"))
}

/** Does again what a record tells. */
const replay = (directory: string, line: Line): void => {
  // A file that had no name any more, and is gone.
  if (line.path === null) return
  const path = join(directory, line.path)
  switch (line.op) {
    // A regular file: the kernel opens what it has made.
    case "mknod":
    case "create":
      fs.closeSync(fs.openSync(path, "w"))
      return fs.chmodSync(path, (line.mode ?? 0) & 0o7777)
    case "mkdir":
      fs.mkdirSync(path)
      return fs.chmodSync(path, (line.mode ?? 0) & 0o7777)
    case "symlink":
      return fs.symlinkSync(line.target ?? "", path)
    case "link":
      return fs.linkSync(join(directory, line.from ?? ""), path)
    case "unlink":
      return fs.unlinkSync(path)
    case "rmdir":
      return fs.rmdirSync(path)
    case "rename":
      assert.isUndefined(line.flags)
      return fs.renameSync(path, join(directory, line.to ?? ""))
    case "write": {
      const { length = 0, offset = 0, pid } = line
      const fd = fs.openSync(path, "r+")
      fs.writeSync(fd, bytesOf(pid, offset, length), 0, length, offset)
      return fs.closeSync(fd)
    }
    case "setattr":
      if (line.size !== undefined) fs.truncateSync(path, line.size)
      if (line.mode !== undefined) fs.chmodSync(path, line.mode & 0o7777)
      return
    default:
      assert.fail(`nobody did ${line.op}`)
  }
}

describe("the audit", () => {
  it(`of ${changes} random changes by ${processes} processes makes a copy of the base the same tree`, async () => {
    const folder = await mkdtemp(join(tmpdir(), "bickford-audit-"))
    try {
      const base = join(folder, "base")
      const copy = join(folder, "copy")
      const store = join(folder, "branches")
      fs.mkdirSync(base)
      fs.mkdirSync(copy)
      fill(base)
      fill(copy)
      const options = ["-o", `store=${store}`]
      const pids = new Set<number>()
      let seen: ReadonlyArray<string> = []
      await withMount(
        async ({ mountpoint, run }) => {
          const children = Array.from({ length: processes }, (_, n) =>
            spawn(process.execPath, [program, mountpoint, String(changes / processes), String(n + 1)], {
              stdio: ["ignore", "ignore", "inherit"]
            })
          )
          for (const child of children) if (child.pid !== undefined) pids.add(child.pid)
          for (const { status } of await Promise.all(children.map(ended))) assert.strictEqual(status, 0)
          seen = JSON.parse(await run(process.execPath, [program, mountpoint]))
        },
        options,
        `workspace:${base}`
      )
      const listed = await bickford(["audit", "--json", "--store", store, base])
      const lines = listed.stdout
        .trim()
        .split("\n")
        .map((line): Line => JSON.parse(line))
      // All of it, though a pipe has no room for so much at once.
      assert.isAbove(lines.length, changes / 10)
      assert.deepStrictEqual(
        lines.map(({ id }) => id),
        lines.map((_, n) => n + 1)
      )
      assert.strictEqual(listed.stdout.at(-1), "\n")
      assert.deepStrictEqual(new Set(lines.map(({ pid }) => pid)), pids)
      assert.deepStrictEqual(
        new Set(lines.map((line) => basename(line.program))),
        new Set([basename(fs.realpathSync(process.execPath))])
      )
      for (const [n, line] of lines.entries()) {
        try {
          replay(copy, line)
        } catch (error) {
          throw new Error(`record ${n}: ${JSON.stringify(line)}`, { cause: error })
        }
      }
      const committed = await bickford(["commit", "--store", store, base])
      assert.strictEqual(committed.status, 0, committed.stderr)
      assert.deepStrictEqual(treeOf(copy), seen, "the branch as it was mounted")
      assert.deepStrictEqual(treeOf(copy), treeOf(base), "the base, when the branch was committed")
    } finally {
      await rm(folder, { recursive: true })
    }
  })

  it("can be asked by process, program, path and time", async () => {
    const folder = await mkdtemp(join(tmpdir(), "bickford-audit-"))
    try {
      const base = join(folder, "base")
      const store = join(folder, "branches")
      fs.mkdirSync(base)
      const begun = new Date().toISOString()
      await withMount(
        ({ mountpoint, run }) =>
          run("sh", ["-c", "mkdir made; echo text > made/file; touch other"], { cwd: mountpoint }),
        ["-o", `store=${store}`],
        `workspace:${base}`
      )
      const audit = async (...args: ReadonlyArray<string>): Promise<ReadonlyArray<string>> => {
        const { status, stderr, stdout } = await bickford(["audit", ...args, "--store", store, base])
        assert.strictEqual(status, 0, stderr)
        return stdout.split("\n").slice(0, -1)
      }
      const all = await audit()
      const form = /^[-\dT:.]+Z \d+ \d+ \S+ (mkdir|mknod|write|setattr) (made|made\/file|other)( \w+=\S+)*$/
      for (const line of all) assert.match(line, form)
      const operations = (lines: ReadonlyArray<string>) => lines.map((line) => line.split(" ").slice(4, 6).join(" "))
      assert.includeMembers(operations(all), ["mkdir made", "mknod made/file", "write made/file", "mknod other"])
      assert.deepStrictEqual(operations(await audit("--program", "mkdir")), ["mkdir made"])
      assert.notInclude(operations(await audit("--path", "made")).join(), "other")
      const pid = all.find((line) => line.includes(" write "))?.split(" ")[1] ?? ""
      assert.notInclude(operations(await audit("--pid", pid)).join(), "mkdir")
      assert.deepStrictEqual(await audit("--since", begun), all)
      assert.deepStrictEqual(await audit("--until", begun), [])
      const wrong = await bickford(["audit", "--since", "yesterday", "--store", store, base])
      assert.include(wrong.stderr, "is not a time")
    } finally {
      await rm(folder, { recursive: true })
    }
  })
})
