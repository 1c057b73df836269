/**
 * The Debian package is installed and used in a root directory without Node, and lintian has nothing to say of it.
 * `npm run executable && npm run deb && npm run test:deb`, with Debian's lintian and man-db.
 */
import assert from "node:assert/strict"
import { mkdir, readdir, readFile } from "node:fs/promises"
import { join } from "node:path"
import { after, before, describe, it } from "node:test"
import { root as checkout } from "../mount/bickford.ts"
import { attempt, run } from "../mount/processes.ts"
import { Root } from "./chroot.ts"

const packages = join(checkout, "dist-packages")

let file: string
let machine: Root

/** dpkg's records of what the package needs, as this machine has them. */
const installed = async (): Promise<string> => {
  const records = await Promise.all(
    ["libc6", "libgcc-s1", "libstdc++6"].map((name) => run("dpkg-query", ["--status", name]))
  )
  // What those need themselves is of no account here.
  return records.map((record) => record.replace(/^(Pre-)?Depends: .*\n/gm, "")).join("\n")
}

before(async () => {
  const found = (await readdir(packages)).find((name) => name.endsWith(".deb"))
  assert.ok(found !== undefined, "there is no package: npm run executable && npm run deb")
  file = join(packages, found)
  machine = await Root.make()
  await mkdir(join(machine.folder, "var/lib/dpkg/info"), { recursive: true })
  await mkdir(join(machine.folder, "var/lib/dpkg/updates"))
  await machine.write("/var/lib/dpkg/status", await installed())
  await machine.installLibraries(join(packages, `bickford-linux-${process.arch}`))
  await run("dpkg", [`--root=${machine.folder}`, "--install", file])
})

after(() => machine.remove())

const inside = async (script: string): Promise<string> => {
  const { signal, status, stderr, stdout } = await machine.attempt(script)
  assert.equal(signal ?? status, 0, `${stdout}${stderr}`)
  return stdout
}

describe("the Debian package", () => {
  it("is without a fault in lintian's eyes", async () => {
    const flags = ["--allow-root", "--display-info", "--tag-display-limit=0", file]
    // It looks at every word of the binary.
    const { stderr, stdout } = await attempt("lintian", flags, { timeoutMilliseconds: 900_000 })
    assert.equal(stdout + stderr, "")
  })

  it("has the command, which says what it can do", async () => {
    assert.match(await inside("bickford --version"), /FUSE protocol version/)
  })

  it("has a manual page for each command, with each of its flags, without a warning of man's", async () => {
    const help = await inside("bickford --help")
    const [, commands = ""] = /SUBCOMMANDS\n([\s\S]*)$/.exec(help) ?? []
    const names = Array.from(commands.matchAll(/^ {2}([a-z]+)\b/gm), ([, name = ""]) => name)
    assert.ok(names.length > 10, help)
    for (const name of names) {
      const page = join(machine.folder, `usr/share/man/man1/bickford-${name}.1.gz`)
      const { stderr, stdout } = await attempt("man", ["--warnings", "--local-file", page], {
        env: { ...process.env, MANWIDTH: "1000", LC_ALL: "C.UTF-8", MANPAGER: "cat" }
      })
      assert.equal(stderr, "", name)
      for (const [flag] of (await inside(`bickford ${name} --help`)).matchAll(/--[a-z-]+/g))
        assert.ok(stdout.includes(flag), `${page}: ${flag}`)
    }
  })

  it("completes commands in bash", async () => {
    const script = `. "$0"; COMP_LINE="bickford mo"; COMP_WORDS=(bickford mo); COMP_CWORD=1; "$(complete -p bickford | sed 's/.*-F \\([^ ]*\\).*/\\1/')" bickford mo bickford; echo "\${COMPREPLY[@]}"`
    const completion = join(machine.folder, "usr/share/bash-completion/completions/bickford")
    assert.match(await run("bash", ["-c", script, completion]), /\bmount\b/)
  })

  it("mounts by mount(8), with its options", async () => {
    const said = await inside(`
      mount -t fuse.bickford memory: /mnt -o size=1m,noexec,nofail
      grep ' /mnt fuse.bickford ' /proc/mounts
      echo text >/mnt/file; cat /mnt/file
      umount /mnt
      ! mount -t fuse.bickford memory: /mnt -o siz=1m`)
    assert.match(said, /fuse\.bickford rw,noexec/)
    assert.match(said, /^text$/m)
  })

  it("has units that systemd takes", async () => {
    const unit = join(machine.folder, "usr/lib/systemd/system/bickford.service")
    assert.match(await readFile(unit, "utf8"), /^ExecStart=\/usr\/bin\/bickford daemon/m)
    // What the units name is not on this machine: only what they say is looked at.
    const { stderr } = await attempt("systemd-analyze", ["verify", unit])
    assert.doesNotMatch(stderr, /unknown|invalid|failed to parse|not a valid/i)
  })

  it("goes without a trace", async () => {
    await run("dpkg", [`--root=${machine.folder}`, "--purge", "bickford"])
    const left = await run("find", [
      machine.folder,
      "-mindepth",
      "1",
      "-name",
      "*bickford*",
      "-not",
      "-path",
      "*/var/lib/dpkg/*"
    ])
    assert.equal(left, "")
  })
})
