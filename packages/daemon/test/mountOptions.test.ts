import { assert, describe, it } from "@effect/vitest"
import * as Result from "effect/Result"
import { parseMountOptions } from "../src/mountOptions.ts"

describe("-o", () => {
  it("sorts options by who needs them; a later one wins", () => {
    assert.deepStrictEqual(
      parseMountOptions(["ro,fsname=a\\,b,max_read=65536", "rw,uid=1000,mode=1777,size=16m,attr_timeout=0.5"]),
      Result.succeed({
        mount: { readOnly: false, fsname: "a,b", maxRead: 65536 },
        memory: { mode: 0o1777, capacity: 16 * 1024 * 1024, attrTimeout: 0.5 },
        passthrough: { attrTimeout: 0.5 },
        owner: { uid: 1000 },
        session: {},
        autoUnmount: false
      })
    )
  })

  it("refuses values that do not fit", () => {
    for (const option of ["uid=-1", "uid=4294967296", "mode=888", "size=1t", "entry_timeout=soon", "ro=1", "max_read="]) {
      assert.isTrue(Result.isFailure(parseMountOptions([option])), option)
    }
  })

  it("takes no option from Object.prototype", () => {
    assert.isTrue(Result.isFailure(parseMountOptions(["constructor"])))
  })
})
