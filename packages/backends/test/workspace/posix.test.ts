/** The posix rules over a base that is empty: all that there is lies in the store. */
import * as Effect from "effect/Effect"
import { describe } from "@effect/vitest"
import { workspace } from "../../src/index.ts"
import { testAttributes } from "../posix/attributes.ts"
import { testData } from "../posix/data.ts"
import { testDirectoryNames } from "../posix/directory.ts"
import type { Make } from "../posix/make.ts"
import { testNames } from "../posix/namespace.ts"
import { newPlaces } from "./places.ts"

/** An empty base: all is in the store. */
const overNothing: Make = (options) =>
  Effect.flatMap(newPlaces, ({ base, store }) => workspace(base, { ...options, store }))

describe("over an empty base", () => {
  testNames(overNothing)
  testAttributes(overNothing)
  testData(overNothing)
  testDirectoryNames(overNothing)
})
