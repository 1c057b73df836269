/** The examples of faces: each mounts what it says, and other programs see it. */
import { assert, describe, it } from "@effect/vitest"
import * as Effect from "effect/Effect"
import { once } from "node:events"
import { mkdtemp, rm, writeFile } from "node:fs/promises"
import { createServer } from "node:http"
import type { AddressInfo } from "node:net"
import { tmpdir } from "node:os"
import { join } from "node:path"
import { bucket, bucketKeys } from "../../packages/faces/test/bucket.ts"
import { root } from "./bickford.ts"
import { withExample as withProgram } from "./example.ts"
import { attempt, run } from "./processes.ts"

const withFolder = async (body: (folder: string) => Promise<void>): Promise<void> => {
  const folder = await mkdtemp(join(tmpdir(), "bickford-examples-"))
  try {
    await writeFile(join(folder, "hello.txt"), "hello\n")
    await body(folder)
  } finally {
    await rm(folder, { recursive: true, force: true })
  }
}

const withExample = (
  name: string,
  args: ReadonlyArray<string>,
  body: (mountpoint: string) => Promise<void>,
  env: NodeJS.ProcessEnv = {}
): Promise<string> => withProgram(name, args, body, { end: "umount", env })

/** `hello.txt` is there; `change` is what a shell then does in the mount. */
const says =
  (change = "") =>
  async (mountpoint: string): Promise<void> => {
    const script = `cd "$1"; cat hello.txt; ${change}`
    assert.strictEqual(await run("sh", ["-ec", script, "sh", mountpoint]), "hello\n")
  }

describe("the example", () => {
  it("memfs", async () => {
    const said = await withExample("memfs.ts", [], says("echo new > new.txt"))
    assert.include(said, "'/new.txt': 'new\\n'")
  })

  it("vfs", async () => {
    assert.include(await withExample("vfs.ts", [], says("echo new > new.txt")), "[ 'hello.txt', 'new.txt' ]")
  })

  it("justBash", async () => {
    assert.include(await withExample("justBash.ts", [], says("echo new > new.txt")), "hello.txt\nnew.txt\nhello\nnew\n")
  })

  it("effect", () =>
    withFolder(async (folder) => {
      await withExample("effect.ts", [folder], says("echo new > new.txt"))
      assert.strictEqual(await run("cat", [join(folder, "new.txt")]), "new\n")
    }))

  it("archive", () =>
    withFolder(async (folder) => {
      await run("sh", [
        "-ec",
        'cd "$1"; tar -czf a.tar.gz hello.txt; python3 -m zipfile -c a.zip hello.txt',
        "sh",
        folder
      ])
      for (const name of ["a.zip", "a.tar.gz"]) await withExample("archive.ts", [join(folder, name)], says())
    }))

  it("commit", () =>
    withFolder(async (folder) => {
      const script = `cd "$1"; git init -q -b main; git add hello.txt
        git -c user.name=A -c user.email=a@example.org commit -qm One; git tag one
        echo other > hello.txt; git -c user.name=A -c user.email=a@example.org commit -qam Two`
      const env = { ...process.env, GIT_CONFIG_GLOBAL: "/dev/null", GIT_CONFIG_SYSTEM: "/dev/null" }
      await run("sh", ["-ec", script, "sh", folder], { env })
      await withExample("commit.ts", [folder, "one"], says())
    }))

  it("web", async () => {
    const server = createServer(({ url }, response) => {
      const index = url === "/"
      const body = index ? '<a href="hello.txt">hello.txt</a>' : "hello\n"
      if (!index && url !== "/hello.txt") response.writeHead(404).end()
      else
        response.writeHead(200, { "content-type": "text/html", "content-length": body.length, etag: '"1"' }).end(body)
    }).listen(0, "127.0.0.1")
    await once(server, "listening")
    try {
      // A server that listens has an address with a port.
      await withExample("web.ts", [`http://127.0.0.1:${(server.address() as AddressInfo).port}/`], says())
    } finally {
      server.closeAllConnections()
      server.close()
    }
  })

  it.live("bucket", () =>
    Effect.gen(function* () {
      const { options } = yield* bucket
      const env = {
        AWS_ACCESS_KEY_ID: bucketKeys.accessKeyId,
        AWS_SECRET_ACCESS_KEY: bucketKeys.secretAccessKey,
        AWS_ENDPOINT_URL: options.endpoint
      }
      const make = (mountpoint: string) => run("sh", ["-ec", 'echo hello > "$1/hello.txt"', "sh", mountpoint])
      yield* Effect.promise(() =>
        withExample("bucket.ts", ["bucket/below"], async (mountpoint) => void (await make(mountpoint)), env)
      )
      yield* Effect.promise(() => withExample("bucket.ts", ["bucket/below"], says(), env))
    })
  )

  it("shared", async () => {
    const said = await withExample("shared.ts", [], async (mountpoint) => {
      const notes = join(mountpoint, "notes.txt")
      assert.strictEqual(await run("cat", [notes]), "written without a mount\n")
      // By the shell in the program, beside the mount.
      const waiting = 'until test -s "$1"; do :; done; cat "$1"'
      const loud = join(mountpoint, "loud.txt")
      assert.strictEqual(await run("sh", ["-ec", waiting, "sh", loud]), "WRITTEN WITHOUT A MOUNT\n")
      await run("touch", [join(mountpoint, "touched")])
    })
    for (const name of ["notes.txt", "loud.txt", "touched"]) assert.include(said.split("ended: ")[1], `'${name}'`)
  })

  it("provider", () =>
    withFolder(async (folder) => {
      const said = await withExample("provider.ts", [join(folder, "store")], async (mountpoint) => {
        assert.strictEqual(await run("cat", [join(mountpoint, "hello.txt")]), "written at once\n")
        await run("touch", [join(mountpoint, "touched")])
      })
      assert.include(said, "[ 'hello.txt', 'touched' ]")
    }))

  it("layer", () =>
    withFolder(async (folder) => {
      const program = [
        "--conditions=development",
        "--disable-warning=ExperimentalWarning",
        join(root, "examples", "layer.ts")
      ]
      const { status, stderr, stdout } = await attempt(process.execPath, [...program, join(folder, "store")])
      assert.strictEqual(status, 0, stderr)
      assert.strictEqual(stdout, "notes\nnotes/today.txt\nkept in one file\n\n")
    }))
})
