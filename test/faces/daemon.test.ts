/** Archives, commits, servers and buckets kept by the daemon: from its configuration, and again after a worker has died. */
import { assert, describe, it } from "@effect/vitest"
import * as Effect from "effect/Effect"
import { once } from "node:events"
import { writeFile } from "node:fs/promises"
import { createServer } from "node:http"
import type { AddressInfo } from "node:net"
import { join } from "node:path"
import { bucket, bucketKeys } from "../../packages/faces/test/bucket.ts"
import { mountConfig, mountpoints, startDaemon, until, workFolder } from "../daemon/daemon.ts"
import { commandsOn } from "../mount/inProcess.ts"
import { run } from "../mount/processes.ts"

/** A server of one file. */
const server = Effect.acquireRelease(
  Effect.promise(async () => {
    const listening = createServer(({ url }, response) => {
      if (url === "/") response.writeHead(200, { "content-type": "text/html" }).end('<a href="file">file</a>')
      else if (url === "/file") response.writeHead(200, { etag: '"1"', "content-length": 5 }).end("text\n")
      else response.writeHead(404).end()
    }).listen(0, "127.0.0.1")
    await once(listening, "listening")
    return listening
  }),
  (listening) =>
    Effect.promise(async () => {
      listening.closeAllConnections()
      listening.close()
      await once(listening, "close")
    })
)

/** Sets variables of the environment that a daemon is started with. */
const withEnvironment = (variables: { readonly [name: string]: string }) =>
  Effect.acquireRelease(
    Effect.sync(() => Object.assign(process.env, variables)),
    () =>
      Effect.sync(() => {
        for (const name of Object.keys(variables)) Reflect.deleteProperty(process.env, name)
      })
  )

/** One file, `file`, in each kind of source. */
const sourcesIn = async (folder: string, url: string): Promise<{ readonly [name: string]: string }> => {
  const script = `
    cd "$1"; echo text > file
    tar -cf archive.tar file; tar -czf archive.tar.gz file
    python3 -m zipfile -c archive.zip file
    export GIT_CONFIG_GLOBAL=/dev/null GIT_CONFIG_SYSTEM=/dev/null
    git init -q -b main repository; cp file repository; cd repository; git add -A
    git -c user.name=A -c user.email=a@example.org commit -qm One`
  await run("sh", ["-ec", script, "sh", folder])
  return {
    zip: `zip:${join(folder, "archive.zip")}`,
    tar: `tar:${join(folder, "archive.tar")}`,
    compressed: `tar:${join(folder, "archive.tar.gz")}`,
    git: `git:${join(folder, "repository")}#main`,
    http: url,
    s3: "s3:bucket"
  }
}

describe("the daemon", () => {
  it.live("serves archives, commits, servers and buckets, and mounts them anew when a worker is killed", () =>
    Effect.gen(function* () {
      const folder = yield* workFolder
      // A server that listens has an address with a port.
      const { port } = (yield* server).address() as AddressInfo
      const { options } = yield* bucket
      yield* withEnvironment({
        AWS_ACCESS_KEY_ID: bucketKeys.accessKeyId,
        AWS_SECRET_ACCESS_KEY: bucketKeys.secretAccessKey,
        AWS_ENDPOINT_URL: options.endpoint
      })
      const sources = Object.entries(yield* Effect.promise(() => sourcesIn(folder, `http://127.0.0.1:${port}/`)))
      const places = yield* mountpoints(sources.length)
      const mounts = sources.map(([name, source], at) => mountConfig(name, source, places[at] ?? ""))
      const daemon = yield* startDaemon(folder, mounts)
      const { run: runOn } = commandsOn(places[0] ?? "")
      for (const { mountpoint, name } of mounts) {
        yield* Effect.promise(() => daemon.reaches(name, "running"))
        if (name === "s3") yield* runOn("sh", ["-c", 'echo text > "$1/file"', "sh", mountpoint])
        assert.strictEqual(yield* runOn("cat", [join(mountpoint, "file")]), "text\n", name)
        yield* Effect.promise(async () => {
          const { pid } = await daemon.mount(name)
          if (pid !== undefined) process.kill(pid, "SIGKILL")
          await until(async () => {
            const now = await daemon.mount(name)
            return now.state === "running" && now.pid !== pid ? true : undefined
          }, `another worker of ${name} than ${pid}`)
        })
        assert.strictEqual(yield* runOn("cat", [join(mountpoint, "file")]), "text\n", name)
      }
    })
  )

  it.live("says of a source that is not there what is wrong with it, and serves the others", () =>
    Effect.gen(function* () {
      const folder = yield* workFolder
      yield* Effect.promise(async () => {
        await writeFile(join(folder, "file"), "text\n")
        await run("python3", ["-m", "zipfile", "-c", join(folder, "archive.zip"), join(folder, "file")])
      })
      const [one = "", other = ""] = yield* mountpoints(2)
      const daemon = yield* startDaemon(folder, [
        mountConfig("good", `zip:${join(folder, "archive.zip")}`, one),
        mountConfig("bad", `zip:${join(folder, "file")}`, other, {
          restart: { intensity: 1, period: 600_000, backoff: { initial: 10, max: 100 } }
        })
      ])
      yield* Effect.promise(() => daemon.reaches("good", "running"))
      const { lastCause } = yield* Effect.promise(() => daemon.reaches("bad", "failed"))
      assert.include(String(lastCause), "file")
      assert.strictEqual(yield* commandsOn(one).run("cat", [join(one, "file")]), "text\n")
    })
  )
})
