/** Which mounts of an earlier keeper the next one goes on with. */
import { assert, describe, it } from "@effect/vitest"
import { fits, selectedBy } from "../src/keeper/servedSource.ts"

const record = (source: string, options: ReadonlyArray<string>) => ({
  source,
  configured: "/mnt",
  selected: selectedBy({ source, options })
})

const config = (source: string, ...options: ReadonlyArray<string>) => ({ source, options, mountpoint: "/mnt" })

describe("a worker can serve what another one served", () => {
  it("of the same branch, in the same directory of branches", () => {
    const left = record("workspace:/srv/app", ["branch=try-1,store=/var/branches"])
    assert.isTrue(fits(config("workspace:/srv/app", "store=/var/branches", "noatime", "branch=try-1"), left))
    assert.isFalse(fits(config("workspace:/srv/app", "branch=try-2,store=/var/branches"), left))
    assert.isFalse(fits(config("workspace:/srv/app", "branch=try-1,store=/var/others"), left))
    assert.isFalse(fits(config("workspace:/srv/app"), left))
    assert.isFalse(fits(config("workspace:/srv/other", "branch=try-1,store=/var/branches"), left))
  })

  it("where the source alone tells, whatever the options, by a record that has none of them", () => {
    const left = { source: "sqlite:/srv/store", configured: "/mnt" }
    assert.isTrue(fits(config("sqlite:/srv/store", "size=1g"), left))
    assert.isFalse(fits({ ...config("sqlite:/srv/store"), mountpoint: "/other" }, left))
  })
})
