/** Idmapped mounts (mount_setattr(2)) of mounts that a worker of the daemon serves. */
import { assert, describe, it } from "@effect/vitest"
import * as Effect from "effect/Effect"
import { chmodSync, mkdirSync } from "node:fs"
import { join } from "node:path"
import { asUser, first, idmappedPlace } from "../mount/idmapped.ts"
import { commandsOn } from "../mount/inProcess.ts"
import { mountConfig, mountpoints, startDaemon, until, workFolder } from "./daemon.ts"

const sources: ReadonlyArray<readonly [string, (folder: string) => string, ReadonlyArray<string>]> = [
  ["memory:", () => "memory:", []],
  ["passthrough:", (folder) => `passthrough:${folder}/served`, []],
  ["passthrough: without the kernel's", (folder) => `passthrough:${folder}/served`, ["no_kernel_passthrough"]],
  ["sqlite:", (folder) => `sqlite:${folder}/store`, []]
]

describe("an idmapped mount, served by a worker of the daemon,", () => {
  for (const [name, sourceIn, options] of sources) {
    it.live(`of ${name} shows owners mapped, and maps those of what is made back`, () =>
      Effect.gen(function* () {
        const folder = yield* workFolder
        const [place = ""] = yield* mountpoints(1)
        const served = join(folder, "served")
        mkdirSync(served)
        chmodSync(served, 0o777)
        const daemon = yield* startDaemon(folder, [mountConfig("data", sourceIn(folder), place, { options })])
        const { pid } = yield* Effect.promise(() => daemon.reaches("data", "running"))
        const { attempt, run } = commandsOn(place)
        const owner = (path: string) => run("stat", ["--format=%u:%g", path])
        yield* run("chmod", ["777", place])
        yield* run(...asUser(7, "sh", "-c", `echo hello > ${place}/before`))
        const { idmap, mapped } = yield* idmappedPlace(place)
        assert.deepInclude(yield* idmap, { status: 0, stderr: "" })
        assert.strictEqual(yield* owner(`${mapped}/before`), `${first + 7}:${first + 7}\n`)
        yield* run(...asUser(first + 5, "sh", "-c", `cd ${mapped} && echo new > file && mkdir dir && ln -s file link`))
        for (const one of ["file", "dir", "link"]) {
          assert.strictEqual(yield* owner(`${place}/${one}`), "5:5\n", one)
          assert.strictEqual(yield* owner(`${mapped}/${one}`), `${first + 5}:${first + 5}\n`, one)
        }
        yield* run("chmod", ["600", `${place}/file`])
        assert.include((yield* attempt(...asUser(first + 6, "cat", `${mapped}/file`))).stderr, "Permission denied")
        assert.strictEqual(yield* run(...asUser(first + 5, "cat", `${mapped}/file`)), "new\n")
        assert.include((yield* attempt("touch", [`${mapped}/by-root`])).stderr, "Value too large")
        if (name !== "sqlite:") return
        // INIT is not sent again: what it agreed on is the next worker's too.
        process.kill(pid ?? 0, "SIGKILL")
        yield* Effect.promise(() =>
          until(async () => {
            const now = await daemon.mount("data")
            return now.state === "running" && now.pid !== pid ? now : undefined
          }, "another worker")
        )
        yield* run(...asUser(first + 5, "sh", "-c", `echo more >> ${mapped}/file && mkdir ${mapped}/later`))
        assert.strictEqual(yield* owner(`${place}/later`), "5:5\n")
        assert.strictEqual(yield* run("cat", [`${place}/file`]), "new\nmore\n")
      })
    )
  }
})
