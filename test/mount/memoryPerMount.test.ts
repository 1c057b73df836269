/** Many idle mounts in one process: what each costs it in memory. */
import { assert, it } from "@effect/vitest"
import * as Effect from "effect/Effect"
import { join } from "node:path"
import { root } from "./bickford.ts"
import { commandsOn, mountpointFolder } from "./inProcess.ts"

const count = 40
const mebibyte = 2 ** 20

it.live(`${count} mounts in one process take less than 3 MiB of memory each`, () =>
  Effect.gen(function* () {
    const mountpoints = yield* Effect.all(Array.from({ length: count }, () => mountpointFolder))
    const { run } = commandsOn(mountpoints[0] ?? "")
    const program = join(root, "test", "mount", "programs", "idleMounts.ts")
    const said = yield* run(process.execPath, ["--expose-gc", "--conditions=development", program, ...mountpoints])
    const { all, one } = JSON.parse(said) as { readonly one: number; readonly all: number }
    const each = (all - one) / (count - 1)
    assert.isBelow(each, 3 * mebibyte)
  })
)
