/**
 * `npm run deb`: makes dist-packages/bickford_VERSION_ARCH.deb of the single executable, with manual pages, completions, systemd's
 * units and mount(8)'s helper. DEBFULLNAME and DEBEMAIL name the maintainer, as for Debian's own tools.
 */
import { spawnSync } from "node:child_process"
import {
  chmodSync,
  cpSync,
  existsSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  rmSync,
  statSync,
  writeFileSync
} from "node:fs"
import { dirname, join, relative } from "node:path"
import { gzipSync } from "node:zlib"
import { fail, install, node, nodeFlags, root, say } from "./bootstrap.mjs"

const output = join(root, "dist-packages")
const packaging = join(root, "packaging")
const executable = join(output, `bickford-linux-${process.arch}`)
const architecture = { x64: "amd64", arm64: "arm64" }[process.arch] ?? process.arch
const { description, version } = JSON.parse(readFileSync(join(root, "packages", "bickford", "package.json"), "utf8"))
const staged = join(output, "deb")

const run = (what, command, args, options = {}) => {
  const { error, status, stderr, stdout } = spawnSync(command, args, { cwd: root, encoding: "utf8", ...options })
  if (status !== 0)
    fail(`${stdout ?? ""}${stderr ?? ""}${what} failed${error === undefined ? "" : `: ${error.message}`}.`)
  return stdout.trim()
}

const put = (path, content, mode = 0o644) => {
  const file = join(staged, path)
  mkdirSync(dirname(file), { recursive: true })
  writeFileSync(file, content)
  chmodSync(file, mode)
}

/** The same bytes for the same content: no time, no name of this machine. */
const compressed = (text) => gzipSync(text, { level: 9 })

const lastCommit = (format) => run("git log", "git", ["log", "-1", `--format=${format}`])
const maintainer = `${process.env.DEBFULLNAME ?? lastCommit("%an")} <${process.env.DEBEMAIL ?? lastCommit("%ae")}>`

/** Manual pages and completions, each where Debian looks for it. */
const putManual = () => {
  const made = join(output, "manual")
  run("The manual", node, [...nodeFlags, join(root, "scripts", "manual.ts"), made])
  for (const section of ["man1", "man8"]) {
    const names = run("ls", "ls", [join(made, section)]).split("\n")
    for (const name of names)
      put(`usr/share/man/${section}/${name}.gz`, compressed(readFileSync(join(made, section, name))))
  }
  for (const [from, to] of [
    ["bickford.bash", "usr/share/bash-completion/completions/bickford"],
    ["_bickford", "usr/share/zsh/vendor-completions/_bickford"],
    ["bickford.fish", "usr/share/fish/vendor_completions.d/bickford.fish"]
  ])
    put(to, readFileSync(join(made, from)))
  rmSync(made, { recursive: true })
}

const putUnits = () => {
  const unit = readFileSync(join(root, "examples", "systemd", "bickford.service"), "utf8")
  put(
    "usr/lib/systemd/system/bickford.service",
    unit
      .replace("/usr/local/bin/", "/usr/bin/")
      .replace("[Unit]\n", "[Unit]\nConditionPathExists=/etc/bickford.toml\nDocumentation=man:bickford(1)\n")
  )
  put("usr/lib/systemd/user/bickford.service", readFileSync(join(packaging, "bickford.user.service")))
}

/** Debian's form: the text of the licence is indented, its empty lines have a dot. */
const copyright = () => {
  const licence = readFileSync(join(root, "LICENSE"), "utf8").trim().split("\n").slice(4)
  const text = licence.map((line) => (line === "" ? " ." : ` ${line}`)).join("\n")
  return `${readFileSync(join(packaging, "copyright"), "utf8")}${text}\n`
}

const putDocuments = () => {
  const place = "usr/share/doc/bickford"
  put(`${place}/examples/bickford.toml`, readFileSync(join(root, "examples", "systemd", "bickford.toml")))
  put(`${place}/copyright`, copyright())
  put(`${place}/third-party.txt.gz`, compressed(readFileSync(`${executable}.LICENSES`)))
  put(`${place}/CHANGELOG.md.gz`, compressed(readFileSync(join(root, "CHANGELOG.md"))))
  const entry = `bickford (${version}) unstable; urgency=medium\n\n  * See CHANGELOG.md.gz.\n\n -- ${maintainer}  ${lastCommit("%aD")}\n`
  put(`${place}/changelog.gz`, compressed(entry))
  put("usr/share/lintian/overrides/bickford", readFileSync(join(packaging, "lintian-overrides")))
}

const control = () => {
  const size = Number(run("du", "du", ["--summarize", "--block-size=1024", staged]).split("\t")[0])
  return `Package: bickford
Version: ${version}
Architecture: ${architecture}
Maintainer: ${maintainer}
Installed-Size: ${size}
Depends: libc6 (>= 2.28), libgcc-s1 (>= 3.0), libstdc++6 (>= 5.2)
Recommends: fuse3
Section: utils
Priority: optional
Description: FUSE filesystems, kept up by a daemon
 ${description}.
 .
 It mounts stores in one file, directories, archives, filesystems in memory
 and modules in JavaScript or TypeScript, and keeps them mounted when the
 processes that serve them die. Node.js is inside it.
`
}

const checksums = () => {
  const files = run("find", "find", [".", "-type", "f", "-not", "-path", "./DEBIAN/*", "-printf", "%P\\n"], {
    cwd: staged
  })
  return `${run("md5sum", "md5sum", files.split("\n").sort(), { cwd: staged })}\n`
}

install()
if (!existsSync(executable)) fail("There is no executable: npm run executable")
rmSync(staged, { recursive: true, force: true })
for (const name of readdirSync(output)) if (name.endsWith(".deb")) rmSync(join(output, name))
mkdirSync(join(staged, "usr", "bin"), { recursive: true })
cpSync(executable, join(staged, "usr", "bin", "bickford"))
put("usr/sbin/mount.fuse.bickford", readFileSync(join(packaging, "mount.fuse.bickford")), 0o755)
putManual()
putUnits()
putDocuments()
const controlText = control()
put("DEBIAN/control", controlText)
put("DEBIAN/prerm", readFileSync(join(packaging, "prerm")), 0o755)
put("DEBIAN/md5sums", checksums())
const file = join(output, `bickford_${version}_${architecture}.deb`)
run("dpkg-deb", "dpkg-deb", ["--root-owner-group", "-Zxz", "-z1", "--build", staged, file])
rmSync(staged, { recursive: true })
say(`${relative(root, file)}: ${(statSync(file).size / 1e6).toFixed(1)} MB`)
