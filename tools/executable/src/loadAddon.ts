/** In place of the transport's: the addon lies in the executable, and the dynamic linker wants a file. */
import { closeSync, constants, openSync, writeSync } from "node:fs"
import { tmpdir } from "node:os"
import { getRawAsset } from "node:sea"

/** O_TMPFILE (open(2)): a file without a name, of which nothing is left however this process ends. Node does not name it. */
const nameless = 0o20000000 | constants.O_DIRECTORY

/** Where a file may lie. The first can be mounted noexec, as the others can. */
const directories = (): ReadonlyArray<string> => [tmpdir(), "/dev/shm", "/run", "/var/tmp"]

const loadFile = (file: string): unknown => {
  const loaded: { exports: unknown } = { exports: {} }
  process.dlopen(loaded, file)
  return loaded.exports
}

const loadFrom = (directory: string): unknown => {
  const descriptor = openSync(directory, nameless | constants.O_RDWR, 0o700)
  try {
    const addon = new Uint8Array(getRawAsset("bickford.node"))
    for (let written = 0; written < addon.length;) written += writeSync(descriptor, addon, written)
    return loadFile(`/proc/self/fd/${descriptor}`)
  } finally {
    // The mapping holds the file.
    closeSync(descriptor)
  }
}

/** What the addon exports, for this thread. BICKFORD_ADDON names another build of it. */
export const loadAddon = (): unknown => {
  const named = process.env["BICKFORD_ADDON"]
  if (named !== undefined) return loadFile(named)
  const failures: Array<string> = []
  for (const directory of directories()) {
    try {
      return loadFrom(directory)
    } catch (error) {
      failures.push(`${directory}: ${error instanceof Error ? error.message : String(error)}`)
    }
  }
  throw new Error(`no directory can hold the native addon for a moment (TMPDIR names one): ${failures.join("; ")}`)
}
