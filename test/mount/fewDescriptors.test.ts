/** A served directory where the server may have few descriptors open (RLIMIT_NOFILE). */
import { assert, describe, it } from "@effect/vitest"
import { mkdirSync, mkdtempSync, realpathSync, rmSync, writeFileSync } from "node:fs"
import { tmpdir } from "node:os"
import { join } from "node:path"
import { cleanUp, makeMountpoint, type Served, start } from "./bickford.ts"

const files = 200

/** Opens all files of a directory, as it is told, and does other things meanwhile. Says what it saw, as JSON. */
const program = `
import errno, json, os, sys
at, flags = sys.argv[1], int(sys.argv[2])
opened, errors = [], {}
def attempt(name, call):
    try:
        return call()
    except OSError as error:
        errors.setdefault(name, set()).add(errno.errorcode[error.errno])
for i in range(${files}):
    fd = attempt("open", lambda: os.open(f"{at}/f{i}", flags))
    if fd is not None: opened.append((i, fd))
for i in range(${files}):
    fd = attempt("create", lambda: os.open(f"{at}/new{i}", os.O_RDWR | os.O_CREAT | os.O_EXCL))
    if fd is not None: os.close(fd)
made = len([i for i in range(${files}) if os.path.exists(f"{at}/new{i}")])
assert attempt("list", lambda: len(os.listdir(at))) == ${files} + 1 + made
for i in range(${files}): assert attempt("stat", lambda: os.stat(f"{at}/f{i}").st_size) == len(str(i))
attempt("mkdir", lambda: os.mkdir(at + "/made"))
attempt("rename", lambda: os.rename(at + "/made", at + "/dir/made"))
attempt("link", lambda: os.link(at + "/f0", at + "/dir/link"))
attempt("chmod", lambda: os.chmod(at + "/dir/link", 0o600))
attempt("truncate", lambda: os.truncate(at + "/f0", 1))
attempt("fsync", lambda: os.fsync(opened[0][1]))
for i, fd in opened: assert os.pread(fd, 9, 0) == str(i).encode(), i
for i, fd in opened: os.close(fd)
for i in range(${files}): assert attempt("read", lambda: open(f"{at}/f{i}").read()) == str(i)
print(json.dumps({ "opened": len(opened), "errors": { name: sorted(seen) for name, seen in errors.items() } }))
`

interface Seen {
  readonly opened: number
  readonly errors: { readonly [name: string]: ReadonlyArray<string> }
}

describe("a server that may have few descriptors", () => {
  for (const options of [[], ["-o", "no_kernel_passthrough"]]) {
    it(`keeps some for what is not opened${options.length === 0 ? "" : ", also when data goes through it"}`, async () => {
      const folder = realpathSync(mkdtempSync(join(tmpdir(), "bickford-few-")))
      const mountpoint = await makeMountpoint()
      const servers: Array<Served> = []
      try {
        mkdirSync(join(folder, "dir"))
        for (let i = 0; i < files; i++) writeFileSync(join(folder, `f${i}`), String(i))
        const served = await start(mountpoint, options, `passthrough:${folder}`, ["prlimit", "--nofile=80:80"])
        servers.push(served)
        for (const flags of [0, 2]) {
          const seen: Seen = JSON.parse(await served.run("python3", ["-c", program, mountpoint, String(flags)]))
          assert.isAbove(seen.opened, 5)
          assert.isBelow(seen.opened, files)
          assert.deepStrictEqual(
            Object.keys(seen.errors).filter((name) => name !== "create"),
            ["open"],
            JSON.stringify(seen)
          )
          assert.deepStrictEqual([...new Set(Object.values(seen.errors).flat())], ["ENFILE"])
          await served.run("sh", ["-c", 'rm -r "$1"/new* "$1"/dir/*; printf 0 >"$1"/f0', "sh", mountpoint])
        }
        assert.strictEqual(served.log(), "")
      } finally {
        await cleanUp(mountpoint, servers)
        rmSync(folder, { recursive: true, force: true })
      }
    })
  }
})
