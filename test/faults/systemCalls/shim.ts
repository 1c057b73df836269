/** Programs under shim.c. */
import { mkdtemp, rm, writeFile } from "node:fs/promises"
import { tmpdir } from "node:os"
import { join } from "node:path"
import { run } from "../../mount/processes.ts"

const here = (name: string): string => join(import.meta.dirname, name)

/** Runs a program of this directory under the shim, to its end, and gives what it printed. */
export const runUnderShim = async (program: string, args: ReadonlyArray<string> = []): Promise<string> => {
  const folder = await mkdtemp(join(tmpdir(), "bickford-shim-"))
  try {
    const library = join(folder, "shim.so")
    const control = join(folder, "control")
    await run("gcc", ["-Wall", "-Wextra", "-Werror", "-O2", "-shared", "-fPIC", "-o", library, here("shim.c"), "-ldl"])
    await writeFile(control, Buffer.alloc(4096))
    // What is preloaded already, as a sanitizer's runtime, comes first.
    const preload = [process.env["LD_PRELOAD"], library].filter((name) => name !== undefined && name !== "").join(" ")
    const env = { ...process.env, LD_PRELOAD: preload, BICKFORD_FAULTS: control }
    return await run(
      process.execPath,
      ["--conditions=development", "--disable-warning=ExperimentalWarning", here(program), ...args],
      { env }
    )
  } finally {
    await rm(folder, { recursive: true })
  }
}
