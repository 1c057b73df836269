/** Archives on a live mount: the same trees as the tools that made them, and what is damaged is told. */
import { assert, describe, it } from "@effect/vitest"
import { tar, zip } from "@bickford/faces"
import * as Effect from "effect/Effect"
import * as Logger from "effect/Logger"
import { mkdir, mkdtemp, open, readFile, rm, symlink, utimes, writeFile } from "node:fs/promises"
import { tmpdir } from "node:os"
import { join } from "node:path"
import { zstdCompressSync } from "node:zlib"
import { withMount } from "../mount/bickford.ts"
import { serve } from "../mount/inProcess.ts"
import { run } from "../mount/processes.ts"

const temporaryFolder = Effect.acquireRelease(
  Effect.promise(() => mkdtemp(join(tmpdir(), "bickford-archives-"))),
  (folder) => Effect.promise(() => rm(folder, { recursive: true, force: true }))
)

/** A tree with directories, links, programs, an empty file, a large one, and old times. */
const makeTree = async (folder: string): Promise<string> => {
  const tree = join(folder, "tree")
  await mkdir(join(tree, "deep", "er"), { recursive: true })
  await writeFile(join(tree, "empty"), "")
  await writeFile(join(tree, "text"), "hello\n".repeat(1000))
  await writeFile(join(tree, "deep", "er", "program"), "#!/bin/sh\necho ran\n", { mode: 0o755 })
  await writeFile(join(tree, "deep", "ümlaut"), "name\n")
  const large = Buffer.alloc(20 << 20)
  for (let at = 0; at < large.length; at += 4) large.writeUInt32LE((at * 2654435761) % 2 ** 32, at)
  await writeFile(join(tree, "large"), large)
  await symlink("deep/er/program", join(tree, "link"))
  await utimes(join(tree, "text"), 1_000_000_000, 1_000_000_000)
  return tree
}

/** By Python's zipfile, with links and modes. */
const zipTree = `
import os, sys, zipfile, stat
source, target = sys.argv[1:3]
with zipfile.ZipFile(target, "w", zipfile.ZIP_DEFLATED) as out:
    for folder, names, files in os.walk(source):
        for name in names + files:
            path = os.path.join(folder, name)
            inside = os.path.relpath(path, source)
            if os.path.islink(path):
                info = zipfile.ZipInfo(inside); info.create_system = 3
                info.external_attr = (stat.S_IFLNK | 0o777) << 16
                out.writestr(info, os.readlink(path))
            else:
                out.write(path, inside)
`

const modesOf = (tree: string): Promise<string> =>
  run("sh", ["-ec", `cd "$1"; find . -not -name . -printf '%p %y %l %m\n' | sort; stat -c %Y text`, "sh", tree])

describe("an archive on a mount", () => {
  const kinds: ReadonlyArray<readonly [name: string, make: (tree: string, file: string) => Promise<unknown>]> = [
    ["zip", (tree, file) => run("python3", ["-c", zipTree, tree, file])],
    ["tar", (tree, file) => run("tar", ["-C", tree, "-cf", file, "."])],
    ["tar.gz", (tree, file) => run("tar", ["-C", tree, "-czf", file, "."])],
    [
      "tar.zst",
      async (tree, file) => {
        await run("tar", ["-C", tree, "-cf", `${file}.plain`, "."])
        await writeFile(file, zstdCompressSync(await readFile(`${file}.plain`)))
      }
    ]
  ]
  for (const [name, make] of kinds) {
    it.live(`${name}: is the tree that it was made of, and is read-only`, () =>
      Effect.gen(function* () {
        const folder = yield* temporaryFolder
        const tree = yield* Effect.promise(() => makeTree(folder))
        const file = join(folder, `archive.${name}`)
        yield* Effect.promise(() => make(tree, file))
        const { attempt, mountpoint, run: runOn } = yield* serve(name === "zip" ? zip(file) : tar(file))
        yield* runOn("diff", ["-r", "--no-dereference", tree, mountpoint])
        assert.strictEqual(
          yield* runOn("sh", [
            "-ec",
            `cd "$1"; find . -not -name . -printf '%p %y %l %m\n' | sort; stat -c %Y text`,
            "sh",
            mountpoint
          ]),
          yield* Effect.promise(() => modesOf(tree))
        )
        // By a shell: this process must not wait for a child that is loaded from the mount it serves.
        assert.strictEqual(yield* runOn("sh", ["-ec", 'cd "$1"; ./link', "sh", mountpoint]), "ran\n")
        // Backwards through a file that has to be unpacked from its beginning.
        const back = `import os,sys
a=os.open(sys.argv[1],0); b=os.open(sys.argv[2],0)
for at in range(19<<20, -1, -(3<<20)):
    assert os.pread(a,5000,at)==os.pread(b,5000,at), at`
        yield* runOn("python3", ["-c", back, join(tree, "large"), join(mountpoint, "large")])
        assert.include((yield* attempt("touch", [join(mountpoint, "new")])).stderr, "not")
        assert.include((yield* attempt("cat", [join(mountpoint, "none")])).stderr, "No such file")
      })
    )
  }

  it.live("zip: a damaged file is EIO and is named in the log, the others are as they were", () =>
    Effect.gen(function* () {
      const folder = yield* temporaryFolder
      const tree = yield* Effect.promise(() => makeTree(folder))
      const file = join(folder, "archive.zip")
      yield* Effect.promise(() => run("python3", ["-c", zipTree, tree, file]))
      // One byte in the middle of what `text` is packed into.
      yield* Effect.promise(async () => {
        const bytes = await readFile(file)
        const at = bytes.indexOf("text") + 4 + 20
        const handle = await open(file, "r+")
        await handle.write(Buffer.from([(bytes[at] ?? 0) ^ 0xff]), 0, 1, at)
        await handle.close()
      })
      const lines: Array<string> = []
      const logger = Logger.layer([Logger.make(({ message }) => void lines.push(String(message)))])
      yield* Effect.gen(function* () {
        const { attempt, mountpoint, run: runOn } = yield* serve(zip(file))
        const damaged = yield* attempt("cat", [join(mountpoint, "text")])
        assert.include(damaged.stderr, "Input/output error")
        assert.strictEqual(damaged.stdout, "")
        assert.strictEqual(yield* runOn("cat", [join(mountpoint, "deep", "ümlaut")]), "name\n")
      }).pipe(Effect.provide(logger))
      assert.isTrue(
        lines.some((line) => line.includes("archive.zip: text cannot be read")),
        lines.join("\n")
      )
    })
  )

  it("is a source of the command; what is none is told", async () => {
    const folder = await mkdtemp(join(tmpdir(), "bickford-archives-"))
    try {
      const tree = await makeTree(folder)
      const file = join(folder, "archive.tar")
      await run("tar", ["-C", tree, "-cf", file, "."])
      await withMount(
        async ({ mountpoint, run: runOn }) => {
          assert.strictEqual(await runOn("cat", [join(mountpoint, "deep", "ümlaut")]), "name\n")
        },
        [],
        `tar:${file}`
      )
    } finally {
      await rm(folder, { recursive: true, force: true })
    }
  })
})
