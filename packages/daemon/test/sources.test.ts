import { assert, describe, it } from "@effect/vitest"
import {
  isParsed,
  isSource,
  parseSource,
  sourceForms,
  shownSource,
  sourceKinds,
  sourcesHelp,
  withAbsolutePath
} from "../src/sources/index.ts"

const messageOf = (text: string): string => {
  const parsed = parseSource(text)
  return isParsed(parsed) ? "" : parsed.message
}

describe("sources", () => {
  it("are taken apart at the first colon", () => {
    const parsed = parseSource("sqlite:/a:b")
    assert.isTrue(isParsed(parsed) && parsed.kind.kind === "sqlite" && parsed.path === "/a:b")
  })

  it("that are wrong are told what they need", () => {
    assert.strictEqual(
      messageOf("sqlit:/x"),
      "unknown source sqlit:/x; known: memory:, sqlite:PATH, postgres:URL, passthrough:DIR, workspace:DIR, zip:PATH, tar:PATH, http://HOST/PATH/, https://HOST/PATH/, s3:BUCKET/PREFIX, git:DIR#REVISION, module:PATH"
    )
    assert.strictEqual(messageOf("sqlite:"), "sqlite: needs the path of a store: sqlite:PATH")
    assert.strictEqual(messageOf("memory:/x"), "unknown source memory:/x: memory: takes nothing after the colon")
  })

  it("of every kind are in the help, and known by their beginning", () => {
    for (const { help, kind } of sourceKinds) {
      assert.include(sourceForms, `${kind}:`)
      assert.include(sourcesHelp, help)
      assert.isTrue(isSource(`${kind}:`))
    }
  })

  it("are named from anywhere by absolute paths", () => {
    const resolve = (path: string): string => `/folder/${path}`
    for (const { elsewhere, kind, operand } of sourceKinds) {
      assert.strictEqual(
        withAbsolutePath(`${kind}:${operand === undefined ? "" : "x"}`, resolve),
        operand === undefined ? `${kind}:` : elsewhere === true ? `${kind}:x` : `${kind}:/folder/x`
      )
    }
    assert.strictEqual(withAbsolutePath("other:x", resolve), "other:x")
  })

  it("that are URLs say by themselves what they are, and are shown without a password", () => {
    const url = "postgresql://me:secret@host/db?sslmode=require"
    for (const text of [url, `postgres:${url}`]) {
      const parsed = parseSource(text)
      assert.isTrue(isParsed(parsed) && parsed.kind.kind === "postgres" && parsed.path === url)
      assert.isTrue(isSource(text))
      assert.strictEqual(
        withAbsolutePath(text, (path) => `/folder/${path}`),
        text
      )
      assert.strictEqual(shownSource(text), text.replace(":secret", ""))
    }
    assert.strictEqual(shownSource("sqlite:/a//b:c@d"), "sqlite:/a//b:c@d")
    assert.include(messageOf("postgres:"), "apt-get install postgresql")
  })
})
