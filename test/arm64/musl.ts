/**
 * `npm run test:arm64-musl -- [LINKER]`: the prebuilt addon for arm64 and musl is loaded under qemu-user by musl itself, so that all it asks
 * of musl is there. Node's functions are empty ones, since no npm or Debian package has a Node for musl: nothing of the addon is called.
 * LINKER is musl's arm64 `libc.so`: of Debian's musl_VERSION_arm64.deb, unpacked by `dpkg-deb -x`, or installed (`dpkg --add-architecture arm64`).
 */
import { spawnSync } from "node:child_process"
import { existsSync, mkdtempSync, rmSync, writeFileSync } from "node:fs"
import { tmpdir } from "node:os"
import { join } from "node:path"

const root = join(import.meta.dirname, "..", "..")
const addon = join(root, "packages", "transport", "prebuilds", "linux-arm64-musl.node")
const zig = join(root, "tools", "prebuild", "node_modules", ".bin", "zig")
const [linker = "/lib/aarch64-linux-musl/libc.so"] = process.argv.slice(2)

const run = (what: string, command: string, args: ReadonlyArray<string>): string => {
  const { error, status, stderr, stdout } = spawnSync(command, args, { encoding: "utf8" })
  if (status === 0) return stdout
  console.error(`${what}: ${stdout}${stderr}${error?.message ?? ""}`)
  process.exit(1)
}

if (!existsSync(linker)) {
  console.error(`${linker}: is missing; it is in Debian's package musl of arm64`)
  process.exit(1)
}
// Of the sources as they are: does nothing when it is there.
run("The addon", process.execPath, [join(root, "scripts", "prebuild.mjs"), "linux-arm64-musl"])

const symbols = run("readelf", "readelf", ["--dyn-syms", "--wide", addon])
const wanted = Array.from(symbols.matchAll(/ UND ([\w.]+)/g), ([, name = ""]) => name)
const ofNode = [...new Set(wanted.filter((name) => /^(napi_|node_api_|uv_)/.test(name)))]

const program = `
#include <dlfcn.h>
#include <stdio.h>
${ofNode.map((name) => `int ${name}(void) { return 1; }`).join("\n")}
int main(int argc, char **argv) {
  void *addon = dlopen(argv[1], RTLD_NOW);
  if (addon == NULL || dlsym(addon, "napi_register_module_v1") == NULL) return puts(dlerror()), 1;
  return 0;
}
`
const folder = mkdtempSync(join(tmpdir(), "bickford-arm64-musl-"))
process.once("exit", () => rmSync(folder, { recursive: true, force: true }))
writeFileSync(join(folder, "load.c"), program)
const flags = ["-target", "aarch64-linux-musl", "-dynamic", "-rdynamic", "-O2", "-fno-sanitize=all"]
run("The program", zig, ["cc", ...flags, join(folder, "load.c"), "-o", join(folder, "load")])
run("The addon", "qemu-aarch64", [linker, join(folder, "load"), addon])
console.log(`arm64, musl: loaded; ${wanted.length - ofNode.length} symbols are musl's, ${ofNode.length} Node's`)
