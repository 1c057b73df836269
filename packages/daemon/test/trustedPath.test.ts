import { assert, describe, it } from "@effect/vitest"
import { hasAlone } from "../src/trustedPath.ts"

describe("a group that a user has alone", () => {
  const ann = { uid: 1000, name: "ann" }

  it("has the user's name, and no other members", () => {
    assert.isTrue(hasAlone("root:x:0:\nann:x:1000:\n", 1000, ann))
    assert.isTrue(hasAlone("ann:x:1000:ann\n", 1000, ann))
    assert.isFalse(hasAlone("ann:x:1000:ann,bob\n", 1000, ann))
    assert.isFalse(hasAlone("users:x:1000:\n", 1000, ann))
  })

  it("has the user's number, where it is not listed", () => {
    assert.isTrue(hasAlone("root:x:0:\n", 1000, ann))
    assert.isFalse(hasAlone("root:x:0:\n\n", 100, ann))
  })
})
