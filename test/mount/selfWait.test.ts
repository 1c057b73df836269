/** A server's thread that waits in a call into its own mount is let go; one that waits for another filesystem is not. */
import { assert, describe, it } from "@effect/vitest"
import { readFileSync } from "node:fs"
import { join } from "node:path"
import { cleanUp, makeMountpoint, root, type Served, start } from "./bickford.ts"
import { attempt } from "./processes.ts"

/** Longer than a server waits for itself by default. */
const patience = 3000
const sleep = (milliseconds: number) => new Promise((resolve) => setTimeout(resolve, milliseconds))

const until = async (condition: () => boolean): Promise<void> => {
  while (!condition()) await sleep(10)
}

const program = (name: string, args: ReadonlyArray<string>) =>
  attempt(process.execPath, ["--conditions=development", join(root, "test", "mount", "programs", name), ...args])

/** Fresh mountpoints, and servers that are ended with the test. */
const withPlaces = async (
  body: (places: ReadonlyArray<string>, servers: Array<Served>) => Promise<void>
): Promise<void> => {
  const places = [await makeMountpoint(), await makeMountpoint()]
  const servers: Array<Served> = []
  try {
    await body(places, servers)
  } finally {
    for (const served of servers) served.server.kill("SIGCONT")
    for (const place of places.toReversed()) await cleanUp(place, servers.splice(-1))
  }
}

describe("a server that waits", () => {
  it("for another FUSE filesystem goes on when that answers", () =>
    withPlaces(async ([lower = "", upper = ""], servers) => {
      const below = await start(lower)
      servers.push(below)
      await below.run("sh", ["-c", 'echo text >"$1/file"', "sh", lower])
      const above = await start(upper, [], `passthrough:${lower}`)
      servers.push(above)
      below.server.kill("SIGSTOP")
      const read = above.run("cat", [join(upper, "file")])
      await until(() => readFileSync(`/proc/${above.server.pid}/wchan`, "latin1") === "request_wait_answer")
      await sleep(patience)
      assert.isDefined(above.mounted(), above.log())
      // Whoever waits for itself is found out meanwhile.
      const place = await makeMountpoint()
      const outcome = await program("synchronous.ts", [place, "thread"])
      await cleanUp(place, [])
      assert.match(outcome.stderr, /Seen: \S+ of \S+\/file has waited in request_wait_answer for 2\.0 s\.\n/)
      below.server.kill("SIGCONT")
      assert.strictEqual(await read, "text\n")
      assert.strictEqual(above.log(), "")
    }))

  it("for one of its mounts loses that one alone", () =>
    withPlaces(async ([first = "", second = ""]) => {
      const outcome = await program("twoMounts.ts", [first, second])
      assert.strictEqual(outcome.stdout, "first aborted, second answered, there\n", outcome.stderr)
      assert.include(outcome.stderr, `a synchronous call into ${first} holds up`)
      assert.notInclude(outcome.stderr, second)
    }))
})
