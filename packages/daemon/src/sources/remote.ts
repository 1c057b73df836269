/** `http:`, `https:`, `s3:` and `git:`: files that lie elsewhere, or in a commit. */
import * as Effect from "effect/Effect"
import { commandError } from "../CommandError.ts"
import { locksOfTheKernel } from "./locks.ts"
import type { SourceKind } from "./SourceKind.ts"

const load = () => import("@bickford/faces")

const readOnly = { ...locksOfTheKernel, strictatime: "times of reading are not kept there" }

const webSource = (kind: "http" | "https"): SourceKind => ({
  kind,
  operand: "//HOST/PATH/",
  elsewhere: true,
  help: `the files of a web server, by its index pages or a JSON manifest${kind === "https" ? ", encrypted" : ""}`,
  needs: "the rest of a URL",
  exclusive: false,
  covered: undefined,
  options: [],
  refuses: readOnly,
  load,
  open: (rest) =>
    Effect.flatMap(Effect.promise(load), ({ http }) => {
      const served = http(`${kind}:${rest}`)
      return Effect.as(
        Effect.mapError(Effect.scoped(served), ({ message }) => commandError(message)),
        served
      )
    })
})

/** A web server. */
export const httpSource = webSource("http")
/** A web server that encrypts. */
export const httpsSource = webSource("https")

/** A bucket. */
export const s3Source: SourceKind = {
  kind: "s3",
  operand: "BUCKET/PREFIX",
  elsewhere: true,
  help: "a bucket of S3, or what lies in it below a prefix",
  needs: "the name of a bucket",
  exclusive: false,
  covered: undefined,
  options: [],
  refuses: readOnly,
  load,
  open: (place) =>
    Effect.flatMap(Effect.promise(load), ({ s3 }) => {
      const served = s3(place)
      return Effect.as(
        Effect.mapError(Effect.scoped(served), ({ message }) => commandError(message)),
        served
      )
    })
}

/** A commit. */
export const gitSource: SourceKind = {
  kind: "git",
  operand: "DIR#REVISION",
  help: "the files of a commit of a repository; without #REVISION of HEAD",
  needs: "the path of a repository",
  exclusive: false,
  covered: undefined,
  options: [],
  refuses: readOnly,
  load,
  open: (place) =>
    Effect.flatMap(Effect.promise(load), ({ git }) => {
      const [, path = place, revision] = /^(.*?)(?:#([^/#]+(?:\/[^#]*)?))?$/s.exec(place) ?? []
      const served = git(path, revision === undefined ? {} : { revision })
      return Effect.as(
        Effect.mapError(served, ({ message }) => commandError(message)),
        served
      )
    })
}
