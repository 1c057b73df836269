/** Sources of the command that lie elsewhere: the same files as directly, and callers that are interrupted return. */
import { assert, describe, it } from "@effect/vitest"
import { spawn } from "node:child_process"
import { once } from "node:events"
import { createServer } from "node:http"
import type { AddressInfo } from "node:net"
import { mkdir, mkdtemp, rm, symlink, writeFile } from "node:fs/promises"
import { tmpdir } from "node:os"
import { join } from "node:path"
import { withMount } from "../mount/bickford.ts"
import { run } from "../mount/processes.ts"

const withFolder = async (body: (folder: string) => Promise<void>): Promise<void> => {
  const folder = await mkdtemp(join(tmpdir(), "bickford-remote-"))
  try {
    await body(folder)
  } finally {
    await rm(folder, { recursive: true, force: true })
  }
}

const content = Buffer.alloc(3 << 20, "0123456789abcdef")

/** What is asked of a server. */
type Asked = "listing" | "attributes" | "range"

/** A server of one file, which answers until it is told to be silent when it is asked for something. */
const withServer = async (
  body: (server: { readonly url: string; readonly silent: (about: Asked) => Promise<void> }) => Promise<void>
): Promise<void> => {
  let silence: Asked | undefined
  let asked: () => void = () => {}
  const server = createServer(({ headers, method, url }, response) => {
    const about = url === "/" ? "listing" : method === "HEAD" ? "attributes" : "range"
    if (about !== "range" && about === silence) {
      asked()
      return
    }
    const [, from, to] = /^bytes=(\d+)-(\d+)$/.exec(headers.range ?? "") ?? []
    if (url === "/") response.writeHead(200, { "content-type": "text/html" }).end('<a href="file">file</a>')
    else if (url !== "/file") response.writeHead(404).end()
    else if (method === "HEAD" || from === undefined || to === undefined)
      response.writeHead(200, { etag: '"1"', "content-length": content.length }).end(method === "HEAD" ? "" : content)
    else if (silence !== about)
      response
        .writeHead(206, { etag: '"1"', "content-range": `bytes ${from}-${to}/${content.length}` })
        .end(content.subarray(Number(from), Number(to) + 1))
    else {
      response.writeHead(206, { etag: '"1"', "content-range": `bytes ${from}-${to}/${content.length}` }).write("half")
      asked()
    }
  })
  server.listen(0, "127.0.0.1")
  await once(server, "listening")
  try {
    // A server that listens has an address with a port.
    const url = `http://127.0.0.1:${(server.address() as AddressInfo).port}/`
    await body({
      url,
      silent: (about) => {
        silence = about
        return new Promise((resolve) => (asked = resolve))
      }
    })
  } finally {
    server.closeAllConnections()
    server.close()
  }
}

describe("bickford mount", () => {
  it("http: shows the files of a server", () =>
    withFolder((folder) =>
      withServer(async ({ url }) => {
        await writeFile(join(folder, "file"), content)
        await withMount(({ mountpoint }) => run("diff", ["-r", folder, mountpoint]), [], url)
      })
    ))

  for (const [what, about, command] of [
    ["reads", "range", ["cat", "file"]],
    ["looks at a file", "attributes", ["stat", "file"]],
    ["lists", "listing", ["ls", "."]],
    ["looks for a name", "attributes", ["stat", "missing"]]
  ] as const)
    it(`http: a caller that ${what} on a silent server returns when it is interrupted`, () =>
      withServer(({ silent, url }) =>
        withMount(
          async ({ mountpoint }) => {
            const asked = silent(about)
            const [program, path] = command
            const caller = spawn(program, [join(mountpoint, path)], { stdio: "ignore" })
            const ended = once(caller, "exit")
            await asked
            caller.kill("SIGINT")
            // Long before the server would be given up.
            assert.deepStrictEqual(await ended, [null, "SIGINT"])
          },
          [],
          url
        )
      ))

  it("git: is what git checks out", () =>
    withFolder(async (folder) => {
      const repository = join(folder, "repository")
      await mkdir(join(repository, "d"), { recursive: true })
      await writeFile(join(repository, "d", "file"), "text\n")
      await writeFile(join(repository, "program"), "#!/bin/sh\n", { mode: 0o755 })
      await symlink("d/file", join(repository, "link"))
      const script = `
        cd "$1"; export GIT_CONFIG_GLOBAL=/dev/null GIT_CONFIG_SYSTEM=/dev/null
        git init -q -b main; git add -A; git -c user.name=A -c user.email=a@example.org commit -qm One
        git tag one; echo more > more; git add -A; git -c user.name=A -c user.email=a@example.org commit -qm Two
        git clone -q . "$2"; cd "$2"; git checkout -q one; rm -rf .git`
      await run("sh", ["-ec", script, "sh", repository, join(folder, "clone")])
      const look = `cd "$1"; find . -not -name . -type f -printf '%p %m %s\n' | sort; readlink link`
      await withMount(
        async ({ mountpoint }) => {
          await run("diff", ["-r", "--no-dereference", join(folder, "clone"), mountpoint])
          assert.strictEqual(
            await run("sh", ["-ec", look, "sh", mountpoint]),
            await run("sh", ["-ec", look, "sh", join(folder, "clone")])
          )
        },
        [],
        `git:${repository}#one`
      )
    }))
})
