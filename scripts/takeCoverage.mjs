/** With `npm run coverage`: has each test process write what it reached, since it is killed when its file is done. */
import { takeCoverage } from "node:v8"
import { afterAll } from "vitest"

afterAll(takeCoverage)
