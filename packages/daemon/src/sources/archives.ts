/** `zip:PATH` and `tar:PATH`, archives, read-only. */
import * as Effect from "effect/Effect"
import { commandError } from "../CommandError.ts"
import { locksOfTheKernel } from "./locks.ts"
import type { SourceKind } from "./SourceKind.ts"

const load = () => import("@bickford/faces")

const archiveSource = (kind: "zip" | "tar", help: string): SourceKind => ({
  kind,
  operand: "PATH",
  help,
  needs: "the path of an archive",
  exclusive: false,
  covered: "refused",
  options: [],
  refuses: { ...locksOfTheKernel, strictatime: "nothing is written to an archive" },
  load,
  open: (path) =>
    Effect.flatMap(Effect.promise(load), (faces) => {
      const archive = faces[kind](path)
      // Opened once before the mount: what is wrong with it is said then.
      return Effect.scoped(archive).pipe(
        Effect.mapError(({ message }) => commandError(message)),
        Effect.as(archive)
      )
    })
})

/** A zip archive. */
export const zipSource = archiveSource("zip", "a zip archive")
/** A tar archive, plain or compressed. */
export const tarSource = archiveSource("tar", "a tar archive, plain, .gz or .zst")
