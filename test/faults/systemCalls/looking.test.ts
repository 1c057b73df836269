/** What a LOOKUP of `passthrough:` asks of the filesystem underneath. */
import { assert, it } from "@effect/vitest"
import { mkdtemp, rm } from "node:fs/promises"
import { release } from "node:os"
import { attempt } from "../../mount/processes.ts"
import { runUnderShim } from "./shim.ts"

const onTmpfs = async <A>(use: (directory: string) => Promise<A>): Promise<A> => {
  const directory = await mkdtemp("/dev/shm/bickford-looking-")
  try {
    return await use(directory)
  } finally {
    await rm(directory, { recursive: true })
  }
}

/** Mounts have numbers of their own, by which they are known again, since Linux 6.8. */
const [major = 0, minor = 0] = release().split(".").map(Number)
const mountsAreKnown = major > 6 || (major === 6 && minor >= 8)

it("a file on a tmpfs is looked at once, though its device tells nothing of who answers", async () => {
  const about = await attempt("stat", ["--file-system", "--format=%T", "/dev/shm"])
  assert.strictEqual(about.stdout.trim(), "tmpfs")
  assert.strictEqual(
    await onTmpfs((directory) => runUnderShim("looking.ts", [directory])),
    mountsAreKnown ? "10" : "20"
  )
})
