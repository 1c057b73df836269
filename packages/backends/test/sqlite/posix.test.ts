import * as Effect from "effect/Effect"
import { sqlite } from "../../src/index.ts"
import { testAttributes } from "../posix/attributes.ts"
import { testData } from "../posix/data.ts"
import { testDirectoryNames } from "../posix/directory.ts"
import { checked } from "../posix/make.ts"
import { testNames } from "../posix/namespace.ts"
import { newStore } from "./store.ts"

const make = checked((options) => Effect.flatMap(newStore, (path) => sqlite(path, options)))

testNames(make)
testAttributes(make)
testData(make)
testDirectoryNames(make)
