import { assert, it } from "@effect/vitest"
import { parseMountinfo } from "../src/mounting/mountinfo.ts"

it("lists mounts with their escapes undone, whatever the number of optional fields", () => {
  const text = [
    "22 1 8:1 / / rw,relatime shared:1 master:2 - ext4 /dev/root rw,discard",
    "97 22 0:61 / /mnt/a\\040b\\134c\\011d rw,nosuid,nodev - fuse.bickford me\\054mory: rw,user_id=0",
    "98 22 0:62 / /mnt/caf\u00c3\u00a9 ro - fuse x rw",
    "not a mount",
    ""
  ].join("\n")
  assert.deepStrictEqual(parseMountinfo(text), [
    {
      id: 22,
      parent: 1,
      device: "8:1",
      mountpoint: "/",
      type: "ext4",
      source: "/dev/root",
      options: "rw,relatime",
      superOptions: "rw,discard"
    },
    {
      id: 97,
      parent: 22,
      device: "0:61",
      mountpoint: "/mnt/a b\\c\td",
      type: "fuse.bickford",
      source: "me,mory:",
      options: "rw,nosuid,nodev",
      superOptions: "rw,user_id=0"
    },
    {
      id: 98,
      parent: 22,
      device: "0:62",
      mountpoint: "/mnt/caf\u00e9",
      type: "fuse",
      source: "x",
      options: "ro",
      superOptions: "rw"
    }
  ])
})
