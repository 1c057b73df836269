/** `npm run hundred-mounts`: a hundred mounts in one daemon, one crashing every second; ends with 1 past the limits. */
import * as Effect from "effect/Effect"
import { keepMany } from "./many.ts"

const report = await Effect.runPromise(Effect.scoped(keepMany(100, 10, 1000)))
console.log(JSON.stringify(report, undefined, 2))
process.exitCode = report.start < 30_000 && report.status < 100 && report.touched === 0 ? 0 : 1
