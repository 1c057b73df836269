import { assert, describe, it } from "@effect/vitest"
import { fromLibfuseArguments } from "../src/cli/libfuseArguments.ts"

describe("arguments in libfuse's manner", () => {
  it("are those of `mount`, in the background unless asked otherwise", () => {
    for (const [given, meant] of [
      ["memory: /mnt", "mount --background memory: /mnt"],
      ["sqlite:a /mnt -o rw,nofail -o ro", "mount --background -o rw,nofail -o ro sqlite:a /mnt"],
      ["-oro module:a.ts /mnt -s", "mount --background -o ro module:a.ts /mnt"],
      ["-f passthrough:/srv /mnt", "mount passthrough:/srv /mnt"],
      ["memory: /mnt -d", "mount --debug memory: /mnt"],
      ["-V", "--version"],
      ["-h", "--help"]
    ] as const)
      assert.deepStrictEqual(fromLibfuseArguments(given.split(" ")), meant.split(" "), given)
  })

  it("leave the commands alone", () => {
    for (const given of ["mount memory: /mnt", "status --json", "--help", "restart home", ""]) {
      assert.deepStrictEqual(fromLibfuseArguments(given.split(" ")), given.split(" "))
    }
  })

  it("are refused where they make no sense", () => {
    for (const given of ["memory:", "memory: /mnt /other", "memory: /mnt -x"])
      assert.isTrue("_tag" in fromLibfuseArguments(given.split(" ")), given)
  })
})
