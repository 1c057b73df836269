/** A place where something is mounted already: what lives is left alone, what is dead is replaced. */
import { assert, describe, it } from "@effect/vitest"
import { findMount, mountTable } from "@bickford/transport"
import { memory, mount, type Mounted, MountFailure } from "bickford"
import { mkdir } from "node:fs/promises"
import { join } from "node:path"
import { bickford, cleanUp, makeMountpoint, type Served, start } from "./bickford.ts"
import { attempt, ended, run } from "./processes.ts"

const withPlace = async (body: (place: string, servers: Array<Served>) => Promise<void>): Promise<void> => {
  const place = await makeMountpoint()
  const servers: Array<Served> = []
  try {
    await body(place, servers)
  } finally {
    await cleanUp(place, servers)
  }
}

const mountsAt = (place: string): number => mountTable().filter(({ mountpoint }) => mountpoint === place).length

const isBusy = (error: unknown): boolean =>
  error instanceof MountFailure && error.code === "EBUSY" && error.message.includes("already a mountpoint")

describe("a place where something is mounted", () => {
  it("several mounts there at once, by one program: one succeeds, the others are EBUSY", () =>
    withPlace(async (place) => {
      const outcomes = await Promise.allSettled([
        mount(place, memory()),
        mount(place, memory()),
        mount(place, memory())
      ])
      const made = outcomes.flatMap((outcome): ReadonlyArray<Mounted> =>
        outcome.status === "fulfilled" ? [outcome.value] : []
      )
      assert.strictEqual(made.length, 1)
      assert.isTrue(outcomes.every((outcome) => outcome.status === "fulfilled" || isBusy(outcome.reason)))
      assert.strictEqual(mountsAt(place), 1)
      const later: unknown = await mount(place, memory()).then(
        () => undefined,
        (error: unknown) => error
      )
      assert.isTrue(isBusy(later), String(later))
      await made[0]?.unmount()
      assert.strictEqual(mountsAt(place), 0)
    }))

  it("another program's that lives is refused and named; when it is dead it is replaced", () =>
    withPlace(async (place, servers) => {
      const other = await start(place)
      servers.push(other)
      const refused: unknown = await mount(place, memory()).then(
        () => undefined,
        (error: unknown) => error
      )
      assert.isTrue(isBusy(refused), String(refused))
      assert.strictEqual(mountsAt(place), 1)
      other.server.kill("SIGKILL")
      await ended(other.server)
      const doctor = await bickford(["doctor", "--json"])
      const findings: ReadonlyArray<{ readonly what: string; readonly kind: string; readonly found: string }> =
        JSON.parse(doctor.stdout)
      assert.deepInclude(
        findings.map(({ found, kind, what }) => ({ found, kind, what })),
        { found: "is mounted, and its server is gone", kind: "fault", what: place }
      )
      assert.strictEqual(doctor.status, 1)
      await using mounted = await mount(place, memory())
      await run("touch", [join(mounted.mountpoint, "file")])
      assert.strictEqual(mountsAt(place), 1)
    }))

  it("of a server with auto_unmount that was killed nothing is left, whatever the path holds", () =>
    withPlace(async (folder, servers) => {
      const place = join(folder, "a blank\tand \\040 more")
      await mkdir(place)
      const served = await start(place, ["-o", "auto_unmount"])
      servers.push(served)
      served.server.kill("SIGKILL")
      await ended(served.server)
      for (let looks = 0; findMount(place) !== undefined && looks < 1000; looks++)
        await new Promise((resolve) => setTimeout(resolve, 20))
      const left = findMount(place)
      if (left !== undefined) await attempt("umount", ["-l", place])
      assert.isUndefined(left)
    }))
})
