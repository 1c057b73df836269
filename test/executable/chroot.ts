/** A root directory with a shell, a few commands and their libraries: a machine without Node. */
import { copyFile, mkdir, mkdtemp, realpath, rm, symlink, writeFile } from "node:fs/promises"
import { tmpdir } from "node:os"
import { dirname, join } from "node:path"
import { attempt, type Outcome, run } from "../mount/processes.ts"

const commands = [
  "/bin/sh",
  "/usr/bin/cat",
  "/usr/bin/env",
  "/usr/bin/grep",
  "/usr/bin/id",
  "/usr/bin/ls",
  "/usr/bin/mkdir",
  "/usr/bin/mount",
  "/usr/bin/mountpoint",
  "/usr/bin/rm",
  "/usr/bin/sed",
  "/usr/bin/umount",
  "/usr/bin/unshare"
]

/** What a program is linked with, the dynamic linker among it. */
const librariesOf = async (program: string): Promise<ReadonlyArray<string>> =>
  Array.from((await run("ldd", [program])).matchAll(/(\/\S+) \(0x/g), ([, library = ""]) => library)

/** A machine of a test. */
export class Root {
  readonly folder: string

  private constructor(folder: string) {
    this.folder = folder
  }

  static async make(): Promise<Root> {
    const root = new Root(await realpath(await mkdtemp(join(tmpdir(), "bickford-root-"))))
    for (const name of ["bin", "sbin", "lib", "lib64"]) {
      await mkdir(join(root.folder, "usr", name), { recursive: true })
      await symlink(join("usr", name), join(root.folder, name))
    }
    for (const name of ["dev", "etc", "mnt", "proc", "root", "run", "srv", "sys", "tmp", "var/tmp"])
      await mkdir(join(root.folder, name), { recursive: true })
    await root.write("/etc/passwd", "root:x:0:0:root:/root:/bin/sh\n")
    for (const command of commands) await root.install(command, command)
    return root
  }

  /** Copies a program, with what it is linked with. */
  async install(program: string, path: string): Promise<void> {
    await this.installLibraries(program)
    await this.#copy(program, path)
  }

  /** Copies what a program is linked with. */
  async installLibraries(program: string): Promise<void> {
    for (const library of await librariesOf(program)) await this.#copy(library, library)
  }

  async #copy(file: string, path: string): Promise<void> {
    await mkdir(dirname(join(this.folder, path)), { recursive: true })
    await copyFile(await realpath(file), join(this.folder, path))
  }

  write(path: string, text: string): Promise<void> {
    return writeFile(join(this.folder, path), text)
  }

  /**
   * Runs a script of sh there, in namespaces of its own: whatever it starts and mounts ends with it, or with a time that is
   * too long.
   */
  attempt(script: string, timeoutMilliseconds?: number): Promise<Outcome> {
    const enter = `
      mount --rbind /dev "$0/dev" && mount --rbind /sys "$0/sys" && mount -t proc proc "$0/proc" &&
      exec chroot "$0" /usr/bin/env -i PATH=/usr/sbin:/usr/bin HOME=/root LC_ALL=C /bin/sh -euc "$1"`
    const namespaces = ["--mount", "--propagation=private", "--pid", "--fork", "--kill-child"]
    return attempt(
      "unshare",
      [...namespaces, "sh", "-c", enter, this.folder, script],
      timeoutMilliseconds === undefined ? {} : { timeoutMilliseconds }
    )
  }

  async remove(): Promise<void> {
    await rm(this.folder, { recursive: true, force: true })
  }
}
