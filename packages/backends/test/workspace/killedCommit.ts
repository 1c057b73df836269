/** Commits a branch, and kills itself at a point of it: `killedCommit BASE STORE POINT`. Says `end` when it comes to the end. */
import * as Effect from "effect/Effect"
import { openBranch } from "../../src/index.ts"

const [, , base = "", store = "", point = "0"] = process.argv
let left = Number(point)

const program = Effect.scoped(
  Effect.flatMap(openBranch(base, store), ({ commit }) =>
    commit({
      reached: () => {
        if (left-- === 0) process.kill(process.pid, "SIGKILL")
      }
    })
  )
)

await Effect.runPromise(program)
console.log("end")
