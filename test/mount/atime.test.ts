/** Times of reading, as the mount's options have them kept: the kernel leaves that to the server. */
import { assert, describe, it } from "@effect/vitest"
import { mkdtemp, rm } from "node:fs/promises"
import { tmpdir } from "node:os"
import { join } from "node:path"
import { bickford, cleanUp, makeMountpoint, type Served, withMount } from "./bickford.ts"

/** Before every change, and after it: relatime marks a read of the first only. */
const times = { old: 946_684_800, future: 4_102_444_800 } as const

/** Which of the two a read moves, of a fresh file and a fresh directory. */
const marked = async ({ mountpoint, run }: Served) => {
  const moves = async (path: string, read: string, time: number): Promise<boolean> => {
    const shown = await run(
      "sh",
      ["-c", `touch -a -d @${time} ${path} && ${read} ${path} > /dev/null && stat --format=%X ${path}`],
      { cwd: mountpoint }
    )
    return Number(shown) !== time
  }
  const found: Array<string> = []
  for (const [name, time] of Object.entries(times)) {
    await run("sh", ["-c", `echo text > file.${name} && mkdir dir.${name} && touch dir.${name}/in`], {
      cwd: mountpoint
    })
    if (await moves(`file.${name}`, "cat", time)) found.push(`file ${name}`)
    if (await moves(`dir.${name}`, "ls", time)) found.push(`dir ${name}`)
    // Again, through an open of its own, when what was read first may be in the kernel's cache.
    if (name === "future" && (await moves(`file.${name}`, "cat", time))) found.push("file again")
  }
  return found
}

const relatime = ["file old", "dir old"]
const expected: { readonly [options: string]: ReadonlyArray<string> } = {
  "": relatime,
  "-onoatime": [],
  "-onodiratime": ["file old"],
  "-ostrictatime": ["file old", "dir old", "file future", "dir future", "file again"],
  "-ostrictatime,nodiratime": ["file old", "file future", "file again"],
  // The later one wins.
  "-onoatime,relatime": relatime
}

describe("times of reading", () => {
  it("passthrough: strictatime is refused", async () => {
    const mountpoint = await makeMountpoint()
    try {
      const { status, stderr } = await bickford(["mount", "-o", "strictatime", `passthrough:${tmpdir()}`, mountpoint])
      assert.strictEqual(status, 1)
      assert.include(stderr, "strictatime")
    } finally {
      await cleanUp(mountpoint, [])
    }
  })

  for (const [options, marks] of Object.entries(expected)) {
    const args = options === "" ? [] : ["-o", options.slice(2)]
    it(`memory: ${options}`, () =>
      withMount(async (served) => assert.deepStrictEqual(await marked(served), marks), args))

    // What marks a read there is the filesystem underneath, by its own mount's rules.
    if (!options.includes("strictatime")) {
      for (const kernel of ["", ",no_kernel_passthrough"]) {
        it(`passthrough: ${options}${kernel}`, async () => {
          const folder = await mkdtemp(join(tmpdir(), "bickford-atime-"))
          try {
            const given = `${options.slice(2)}${kernel}`
            await withMount(
              async (served) => assert.deepStrictEqual(await marked(served), marks),
              ["-o", given === "" ? "rw" : given.replace(/^,/, "")],
              `passthrough:${folder}`
            )
          } finally {
            await rm(folder, { recursive: true })
          }
        })
      }
    }

    // The rules are one module for both: what differs is how the options come there.
    if (!/^-o(noatime|strictatime)$/.test(options)) continue
    it(`sqlite: ${options}`, async () => {
      const folder = await mkdtemp(join(tmpdir(), "bickford-atime-"))
      try {
        await withMount(
          async (served) => assert.deepStrictEqual(await marked(served), marks),
          args,
          `sqlite:${join(folder, "store")}`
        )
      } finally {
        await rm(folder, { recursive: true })
      }
    })
  }
})
