/** The page of a daemon with 1,000 mounts: its memory, and what each second costs it and the daemon. */
import * as Effect from "effect/Effect"
import * as Exit from "effect/Exit"
import * as Scope from "effect/Scope"
import assert from "node:assert/strict"
import { join } from "node:path"
import { it, type TestContext } from "node:test"
import { commandError } from "../../packages/daemon/src/CommandError.ts"
import { serveControl } from "../../packages/daemon/src/control/server.ts"
import type { MountStatus } from "../../packages/daemon/src/control/StatusReport.ts"
import { openTunnel } from "../../packages/daemon/src/dashboard/tunnel.ts"
import { noNumbers } from "../../packages/daemon/src/metrics/numbers.ts"
import { withPercentiles } from "../../packages/daemon/src/metrics/percentiles.ts"
import { until, workFolder } from "../daemon/daemon.ts"
import { patienceMilliseconds } from "../patience.ts"
import { launch } from "./browser.ts"

const mounts = 1000
const opcodes = ["LOOKUP", "GETATTR", "OPEN", "READ", "WRITE", "RELEASE", "FLUSH", "CREATE", "UNLINK", "READDIR"]

/** 50 operations a second of each mount, 50,000 of all. */
const numbersAt = (seconds: number): MountStatus["operations"] => {
  const count = Math.round(5 * seconds)
  const latencies = Object.fromEntries(Array.from({ length: 20 }, (_, step) => [step + 10, Math.ceil(count / 20)]))
  return withPercentiles(
    Object.fromEntries(opcodes.map((opcode) => [opcode, { count, errors: 0, microseconds: 9 * count, latencies }]))
  )
}

const statusAt = (seconds: number, nth: number): MountStatus => ({
  ...noNumbers,
  name: `mount${nth}`,
  source: `passthrough:/srv/data/${nth}`,
  mountpoint: `/srv/${nth}`,
  state: "running",
  pid: 1000 + nth,
  since: 0,
  mountedAt: 0,
  restarts: 0,
  history: [],
  requests: Math.round(50 * seconds),
  operations: numbersAt(seconds)
})

/** A daemon's page at an address, its mounts made up. */
const served = Effect.gen(function* () {
  const folder = yield* workFolder
  const socket = join(folder, "control.sock")
  const began = performance.now()
  const all = (): ReadonlyArray<MountStatus> => {
    const seconds = (performance.now() - began) / 1000
    return Array.from({ length: mounts }, (_, nth) => statusAt(seconds, nth))
  }
  yield* serveControl(socket, undefined, {
    keeper: {
      report: () => ({ version: "1", pid: 1, startedAt: 0, rss: 0, heapUsed: 0, mounts: all() }),
      counts: () => new Map(all().map((one) => [one.name, one])),
      mount: (name) => Effect.fail(commandError(`no mount is called ${name}`))
    },
    reload: Effect.fail(commandError("nothing is reloaded")),
    metrics: () => "",
    restore: Effect.void
  })
  const { port, token } = yield* openTunnel(socket, 0)
  return `http://127.0.0.1:${port}/#token=${token}`
})

/** Opens it, and looks at it for ten seconds. */
const lookAtThousand = async (test: TestContext): Promise<void> => {
  const scope = Scope.makeUnsafe()
  const address = await Effect.runPromise(Scope.provide(served, scope))
  const browser = await launch()
  try {
    const page = await (await browser.newContext({ viewport: { width: 1280, height: 800 } })).newPage()
    page.setDefaultTimeout(patienceMilliseconds)
    const errors: Array<string> = []
    page.on("pageerror", ({ message }) => errors.push(message))
    await page.goto(address)
    await page.getByText("1000 mounts").waitFor()
    const last = page.getByRole("link", { name: "mount999", exact: true })
    await last.scrollIntoViewIfNeeded()
    await last.focus()
    const counter = await page.context().newCDPSession(page)
    await counter.send("Performance.enable", { timeDomain: "threadTicks" })
    const metrics = async (): Promise<ReadonlyMap<string, number>> => {
      await counter.send("HeapProfiler.collectGarbage")
      const { metrics: found } = await counter.send("Performance.getMetrics")
      return new Map(found.map(({ name, value }) => [name, value]))
    }
    const before = await metrics()
    const shown = page.locator("tbody tr").last().locator("td").nth(2).locator("polyline")
    const points = async (): Promise<number> => ((await shown.getAttribute("points")) ?? "").split(" ").length
    const first = await until(async () => (await points()) || undefined, "a picture")
    const seconds = 10
    await until(async () => ((await points()) >= first + seconds ? true : undefined), "ten more seconds")
    const after = await metrics()
    const heap = (after.get("JSHeapUsedSize") ?? 0) / 1e6
    const busy = ((after.get("TaskDuration") ?? 0) - (before.get("TaskDuration") ?? 0)) / seconds
    test.diagnostic(
      `heap ${heap.toFixed(1)} MB, ${after.get("Nodes")} nodes; ${(1000 * busy).toFixed(1)} ms of the page's thread each second`
    )
    assert.ok(heap > 0 && heap < 60, `${heap} MB`)
    assert.equal(await page.evaluate(`document.activeElement.textContent`), "mount999")
    assert.deepEqual(errors, [])
  } finally {
    await browser.close()
    await Effect.runPromise(Scope.close(scope, Exit.void))
  }
}

/** The test of it, for a file of tests. */
export const testThousandMounts = (): void =>
  void it("takes less than 60 MB with 1,000 mounts, and keeps the focus where it is", lookAtThousand)
