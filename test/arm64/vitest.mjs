/** As much of vitest as the socketpair tests use, on node:test: vitest itself brings native code of its own. */
import { assert } from "chai"
import * as runner from "node:test"

/** vitest has options before the body, or a time limit after it; here nothing is measured. */
const test =
  (options) =>
  (name, ...rest) => {
    const body = rest.find((part) => typeof part === "function")
    runner.it(name, options, (context) =>
      body({ signal: context.signal, onTestFinished: (finish) => context.after(finish) })
    )
  }

const each =
  (cases) =>
  (name, ...rest) => {
    const body = rest.find((part) => typeof part === "function")
    cases.forEach((given, index) => it(`${name} (${index})`, (context) => body(given, context)))
  }

const skipped = test({ skip: true })

export const it = Object.assign(test({}), {
  skip: skipped,
  only: test({}),
  skipIf: (wrong) => (wrong ? skipped : it),
  runIf: (right) => (right ? it : skipped),
  for: each,
  fails: skipped
})
export { it as test, assert }
export const describe = Object.assign((name, body) => runner.describe(name, body), {
  skip: (name) => runner.describe.skip(name)
})
export const afterAll = runner.after
export const afterEach = runner.afterEach
export const beforeAll = runner.before
export const beforeEach = runner.beforeEach
export const TestRunner = { getCurrentSuite: () => undefined }
export const expect = { addEqualityTesters: () => {} }
