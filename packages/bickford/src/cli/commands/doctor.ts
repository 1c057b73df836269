/** `bickford doctor`. */
import * as Command from "effect/cli/Command"
import * as Flag from "effect/cli/Flag"
import * as Effect from "effect/Effect"
import { load } from "../arguments.ts"

export const doctorCommand = Command.make(
  "doctor",
  { json: Flag.Boolean("json").pipe(Flag.withDescription("As JSON"), Flag.withDefault(false)) },
  ({ json }) =>
    Effect.flatMap(
      load(() => import("../doctor/doctor.ts")),
      ({ doctor }) => doctor(json)
    )
).pipe(Command.withDescription("Say what on this machine would stop a mount, and what to do about it"))
