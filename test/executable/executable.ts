/**
 * The single executable works on a machine without Node: in a root directory that holds a shell and a few commands.
 * `npm run executable && npm run test:executable`
 */
import assert from "node:assert/strict"
import { stat } from "node:fs/promises"
import { join } from "node:path"
import { after, before, describe, it } from "node:test"
import { root as checkout } from "../mount/bickford.ts"
import { Root } from "./chroot.ts"

const executable = join(checkout, "dist-packages", `bickford-linux-${process.arch}`)

let machine: Root

before(async () => {
  await stat(executable).catch(() => assert.fail("there is no executable: npm run executable"))
  machine = await Root.make()
  await machine.install(executable, "/usr/bin/bickford")
})

after(() => machine.remove())

/** Runs a script there, which has to succeed; gives what it prints. */
const run = async (script: string): Promise<string> => {
  const { signal, status, stderr, stdout } = await machine.attempt(script)
  assert.equal(signal ?? status, 0, `${stdout}${stderr}`)
  return stdout
}

describe("the executable, where there is no Node", () => {
  it("tells its version and what it can do", async () => {
    const said = await run("! command -v node; ! command -v npm; bickford --version; bickford mount --help")
    assert.match(said, /FUSE protocol version 7\./)
    assert.match(said, /sqlite:PATH/)
  })

  it("leaves no file of its own behind", async () => {
    assert.equal(
      await run("bickford doctor >/tmp/doctor || true; rm /tmp/doctor; ls -A /tmp /var/tmp"),
      "/tmp:\n\n/var/tmp:\n"
    )
  })

  it("serves a store, in the background, which keeps what it was given", async () => {
    const said = await run(`
      bickford mount --background sqlite:/srv/data.store /mnt
      echo text >/mnt/file
      umount /mnt
      bickford sqlite:/srv/data.store /mnt -o ro
      cat /mnt/file
      umount /mnt
      bickford fsck /srv/data.store >&2`)
    assert.equal(said, "text\n")
  })

  it("keeps two mounts, whose workers can be killed", async () => {
    await machine.write(
      "/etc/bickford.toml",
      `
[mounts.data]
source = "sqlite:/srv/kept.store"
mountpoint = "/mnt/data"
limits = { memory = 200 }

[mounts.scratch]
source = "memory:"
mountpoint = "/mnt/scratch"
options = ["size=1m"]
`
    )
    const said = await run(`
      mkdir -p /mnt/data /mnt/scratch
      serving() {
        until bickford status --json >/tmp/status 2>/dev/null && [ "$(grep -c '"state": "running"' /tmp/status)" = 2 ]; do
          kill -0 "$daemon"
        done
      }
      worker() { sed -n '/"name": "data"/,/"pid"/ s/.*"pid": \\([0-9]*\\).*/\\1/p' /tmp/status; }
      bickford daemon >/tmp/log 2>&1 &
      daemon=$!
      serving
      echo scratch >/mnt/scratch/file
      exec 3>/mnt/data/file
      echo before >&3
      killed=$(worker)
      sed 's/\\x0/ /g' "/proc/$killed/cmdline"; echo
      kill -9 "$killed"
      echo after >&3
      exec 3>&-
      cat /mnt/data/file /mnt/scratch/file
      serving
      [ "$(worker)" != "$killed" ]
      kill -TERM "$daemon"
      wait "$daemon"
      ! grep fuse.bickford /proc/mounts`)
    assert.match(said, /--max-old-space-size=200/)
    assert.ok(said.endsWith("\nbefore\nafter\nscratch\n"), said)
  })

  it("serves a person's module, with the packages that it holds", async () => {
    await machine.write(
      "/srv/own.ts",
      `
import { memory, type MemoryOptions, PathFilesystem } from "bickford"
import { FakeKernel } from "bickford/testing"
import { Session } from "@bickford/session"
import * as Effect from "effect/Effect"

const options: MemoryOptions = {}
if (typeof PathFilesystem.make !== "function" || typeof FakeKernel.serve !== "function" || typeof Session.make !== "function")
  throw new Error("something is missing")
export const backend = Effect.sync(() => memory(options))
`
    )
    await machine.write("/srv/common.cjs", `exports.backend = require("bickford").memory()\n`)
    const said = await run(`
      for module in own.ts common.cjs; do
        bickford mount --background "module:/srv/$module" /mnt
        echo "$module" >/mnt/file
        cat /mnt/file
        umount /mnt
      done`)
    assert.equal(said, "own.ts\ncommon.cjs\n")
  })

  it("tells where a person's module is wrong", async () => {
    await machine.write("/srv/syntax.js", "export const backend = 1\nconst broken = ;\n")
    await machine.write("/srv/thrown.js", "export const backend = missing()\n")
    const { stderr } = await machine.attempt(
      "bickford mount module:/srv/syntax.js /mnt; bickford mount module:/srv/thrown.js /mnt"
        .split("; ")
        .map((command) => `! ${command}`)
        .join("; ")
    )
    assert.match(stderr, /SyntaxError: .*at \/srv\/syntax\.js:2/)
    assert.match(stderr, /ReferenceError: missing is not defined, at \/srv\/thrown\.js:1/)
  })

  it("serves by a worker thread", async () => {
    await machine.write("/srv/scratch.js", `import { memory } from "bickford"\nexport const backend = memory()\n`)
    await machine.write(
      "/srv/thread.js",
      `
import { memory, mountWorker } from "bickford"
import * as Effect from "effect/Effect"
import { readFileSync, writeFileSync } from "node:fs"

await Effect.runPromise(Effect.scoped(Effect.gen(function*() {
  yield* mountWorker("file:///srv/scratch.js", { mountpoint: "/mnt" })
  writeFileSync("/mnt/file", "by a thread\\n")
  console.log(readFileSync("/mnt/file", "utf8"))
})))
export const backend = memory()
`
    )
    const said = await run(
      "mkdir -p /srv/mnt; bickford module:/srv/thread.js /srv/mnt -f >/tmp/said 2>&1 & until mountpoint -q /srv/mnt; do kill -0 $!; done; umount /srv/mnt; wait $!; cat /tmp/said"
    )
    assert.match(said, /by a thread/)
  })
})
