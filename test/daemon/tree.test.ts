/** The supervision tree of a mount, as the page is told of it. */
import { assert, it } from "@effect/vitest"
import * as Effect from "effect/Effect"
import { get } from "node:http"
import { join } from "node:path"
import type { TreeStatus } from "../../packages/daemon/src/keeper/TreeLog.ts"
import type { TreeReport } from "../../packages/daemon/src/worker/treeReport.ts"
import { run } from "../mount/processes.ts"
import { mountConfig, mountpoints, startDaemon, until, workFolder } from "./daemon.ts"

/** The mount's part of the first events that a reader is sent. */
const treeOf = (socketPath: string): Promise<TreeStatus> =>
  new Promise((resolve, reject) => {
    let text = ""
    const request = get({ socketPath, path: "/events?mount=data" }, (response) => {
      response.setEncoding("utf8").on("data", (part: string) => {
        text += part
        const sent = /^event: mount\ndata: (.*)\n/m.exec(text)?.[1]
        if (sent === undefined) return
        request.destroy()
        resolve(JSON.parse(sent))
      })
    }).on("error", reject)
  })

const at = (tree: TreeReport | undefined, ...path: ReadonlyArray<string>): TreeReport | undefined =>
  path.reduce<TreeReport | undefined>((node, id) => node?.children.find((child) => child.id === id), tree)

it.live("a child of a worker's session is killed and started again; a new worker has a new tree", () =>
  Effect.gen(function* () {
    const folder = yield* workFolder
    const [mountpoint = ""] = yield* mountpoints(1)
    const daemon = yield* startDaemon(folder, [
      // A period that the test is over within, however slow the machine is.
      mountConfig("data", `sqlite:${join(folder, "store")}`, mountpoint, {
        restart: { intensity: 5, period: 600_000, backoff: { initial: 10, max: 100 } }
      })
    ])
    yield* Effect.promise(() => daemon.reaches("data", "running"))
    const reached = (what: string, look: (status: TreeStatus) => boolean) =>
      Effect.promise(() =>
        until(async () => {
          const status = await treeOf(daemon.socket)
          return look(status) ? status : undefined
        }, what)
      )
    const dispatcher = ({ tree }: TreeStatus) => at(tree, "worker", "session", "dispatcher")
    const first = yield* reached("a dispatcher", (status) => dispatcher(status)?.state === "running")
    assert.deepInclude(first.budget, { used: 0, most: 5, seconds: 600 })
    assert.strictEqual(first.tree.id, "data")

    yield* Effect.promise(() => daemon.post("/mounts/data/kill?child=dispatcher"))
    const killed = yield* reached(
      "a restart",
      (status) => dispatcher(status)?.restarts === 1 && dispatcher(status)?.state === "running"
    )
    assert.isTrue(
      killed.events.some(({ path, what }) => path.join("/") === "worker/session/dispatcher" && what === "Restarting")
    )
    yield* Effect.promise(() => run("touch", [join(mountpoint, "file")]))

    yield* Effect.promise(() => daemon.post("/mounts/data/kill"))
    const anew = yield* reached(
      "another worker",
      (status) => at(status.tree, "worker")?.restarts === 1 && dispatcher(status)?.restarts === 0
    )
    assert.strictEqual(anew.budget.used, 1)
    assert.match(at(anew.tree, "worker")?.lastCause ?? "", /SIGKILL/)
  })
)
