/** A bucket on a live mount: its objects are the files, both ways, and callers that are interrupted return. */
import { assert, describe, it } from "@effect/vitest"
import { s3 } from "@bickford/faces"
import * as Effect from "effect/Effect"
import { spawn } from "node:child_process"
import { once } from "node:events"
import { mkdir, mkdtemp, readdir, readFile, rm, writeFile } from "node:fs/promises"
import { tmpdir } from "node:os"
import { join } from "node:path"
import { askBucket, bucket } from "../../packages/faces/test/bucket.ts"
import { serve } from "../mount/inProcess.ts"

const folder = Effect.acquireRelease(
  Effect.promise(() => mkdtemp(join(tmpdir(), "bickford-bucket-"))),
  (path) => Effect.promise(() => rm(path, { recursive: true, force: true }))
)

/** Files of many sizes, one of which is uploaded in parts, and names that have to be encoded. */
const makeTree = async (tree: string): Promise<void> => {
  await mkdir(join(tree, "deep", "er"), { recursive: true })
  await writeFile(join(tree, "empty"), "")
  await writeFile(join(tree, "a name, with & and \u00fc"), "text\n")
  await writeFile(join(tree, "deep", "one"), "1".repeat(5000))
  await writeFile(join(tree, "deep", "er", "large"), Buffer.alloc(9 << 20, "0123456789abcdef"))
}

/** The files below a folder, by path. */
const filesOf = async (tree: string): Promise<ReadonlyArray<readonly [string, Buffer]>> => {
  const entries = await readdir(tree, { recursive: true, withFileTypes: true })
  const paths = entries.filter((entry) => entry.isFile()).map(({ name, parentPath }) => join(parentPath, name))
  return Promise.all(paths.toSorted().map(async (path) => [path.slice(tree.length + 1), await readFile(path)] as const))
}

/** The objects of a bucket, asked for without any mount; those that stand for directories left out. */
const objectsOf = async (endpoint: string): Promise<ReadonlyArray<readonly [string, Buffer]>> => {
  const listing = await (await askBucket(endpoint, "?list-type=2")).text()
  const keys = Array.from(listing.matchAll(/<Key>([^<]*)<\/Key>/g), ([, key = ""]) => key.replaceAll("&amp;", "&"))
  const get = async (key: string): Promise<readonly [string, Buffer]> => {
    const path = key.split("/").map(encodeURIComponent).join("/")
    return [key, Buffer.from(await (await askBucket(endpoint, path)).arrayBuffer())]
  }
  return Promise.all(
    keys
      .filter((key) => !key.endsWith("/"))
      .toSorted()
      .map(get)
  )
}

// The server lists but one directory of each: it ends a listing after the first.
describe("a bucket on a mount", () => {
  it.live("has for objects what programs write, and shows what others put there", () =>
    Effect.gen(function* () {
      const { options } = yield* bucket
      const tree = join(yield* folder, "tree")
      yield* Effect.promise(() => makeTree(tree))
      const { attempt, mountpoint, run } = yield* serve(s3("bucket", { ...options, attrTimeout: 0 }))
      yield* run("sh", [
        "-ec",
        'cd "$1"; tar -cf - . | tar -C "$2" -xf - --no-same-owner --no-same-permissions -m',
        "sh",
        tree,
        mountpoint
      ])
      assert.deepStrictEqual(
        yield* Effect.promise(() => objectsOf(options.endpoint)),
        yield* Effect.promise(() => filesOf(tree))
      )
      yield* run("diff", ["-r", tree, mountpoint])
      const ask = (path: string, init: RequestInit) => askBucket(options.endpoint, path, init)
      yield* Effect.promise(async () => {
        await ask("deep/er/new", { method: "PUT", body: "by another\n" })
        await ask("deep/one", { method: "PUT", body: "changed\n" })
        await ask("empty", { method: "DELETE" })
      })
      assert.strictEqual(
        yield* run("sh", ["-ec", 'cd "$1"; cat deep/er/new deep/one; ls', "sh", mountpoint]),
        "by another\nchanged\na name, with & and \u00fc\ndeep\n"
      )
      assert.include((yield* attempt("cat", [join(mountpoint, "empty")])).stderr, "No such file")
      yield* run("sh", ["-ec", 'cd "$1"; rm deep/one deep/er/large a*; mv deep moved', "sh", mountpoint])
      assert.deepStrictEqual(yield* Effect.promise(() => objectsOf(options.endpoint)), [
        ["moved/er/new", Buffer.from("by another\n")]
      ])
    })
  )

  for (const [what, asks, script] of [
    ["lists", /^GET .*list-type/, 'exec ls "$1/directory"'],
    ["looks at a file", /^HEAD /, 'exec stat "$1/large"'],
    ["reads", /^GET \/bucket\/large$/, 'exec cat "$1/large"'],
    ["writes", /^PUT /, 'exec cp "$2" "$1/copy"'],
    ["truncates", /^PUT /, 'exec truncate -s 10 "$1/large"'],
    ["makes a directory", /^PUT /, 'exec mkdir "$1/made"'],
    ["moves a file", /^PUT /, 'exec mv "$1/large" "$1/moved"'],
    ["removes a file", /^DELETE /, 'exec rm -f "$1/large"'],
    ["removes a directory", /^DELETE /, 'exec rmdir "$1/directory"']
  ] as const)
    it.live(`of a silent server: a caller that ${what} returns when it is interrupted`, () =>
      Effect.gen(function* () {
        const { meet, options } = yield* bucket
        const place = yield* folder
        const source = join(place, "source")
        yield* Effect.promise(() => writeFile(source, "text\n"))
        // Nobody but the caller's signal ends the wait.
        const backend = s3("bucket", { ...options, stallTimeout: 100_000, attrTimeout: 0 })
        const { mountpoint, run } = yield* serve(backend)
        yield* run("sh", ["-ec", 'head -c 3000000 /dev/zero > "$1/large"; mkdir "$1/directory"', "sh", mountpoint])
        let arrived: () => void = () => {}
        let goOn: () => void = () => {}
        const come = new Promise<void>((resolve) => (arrived = resolve))
        const gate = new Promise<void>((resolve) => (goOn = resolve))
        meet((line) => {
          if (!asks.test(line)) return undefined
          arrived()
          return gate
        })
        const caller = spawn("sh", ["-ec", script, "sh", mountpoint, source], { stdio: "ignore", cwd: "/" })
        const ended = once(caller, "exit")
        yield* Effect.promise(async () => {
          await come
          caller.kill("SIGINT")
          assert.deepStrictEqual(await ended, [null, "SIGINT"])
        })
        goOn()
      })
    )

  it.live("has what a caller that was killed had asked for, once the server is there again", () =>
    Effect.gen(function* () {
      const { meet, options } = yield* bucket
      const { mountpoint, run } = yield* serve(s3("bucket", { ...options, stallTimeout: 100_000 }))
      yield* run("sh", ["-ec", 'echo text > "$1/old"; echo text > "$1/gone"; ls -l "$1"', "sh", mountpoint])
      let goOn: () => void = () => {}
      const gate = new Promise<void>((resolve) => (goOn = resolve))
      for (const [asks, script] of [
        [/^PUT \/bucket\/made/, 'exec mkdir "$1/made"'],
        [/^PUT \/bucket\/new$/, 'exec mv "$1/old" "$1/new"'],
        [/^DELETE \/bucket\/gone$/, 'exec rm -f "$1/gone"']
      ] as const) {
        const caller = spawn("sh", ["-ec", script, "sh", mountpoint], { stdio: "ignore", cwd: "/" })
        const ended = once(caller, "exit")
        yield* Effect.promise(async () => {
          await new Promise<void>((resolve) =>
            meet((line) => {
              if (asks.test(line)) resolve()
              return /^(PUT|DELETE) /.test(line) ? gate : undefined
            })
          )
          caller.kill("SIGINT")
          assert.deepStrictEqual(await ended, [null, "SIGINT"])
        })
      }
      goOn()
      // Each goes on by itself: until it is done, those who look see what was there before.
      const all =
        'until test -d "$1/made" && test -e "$1/new" && ! test -e "$1/old" && ! test -e "$1/gone"; do sleep 0.05; done'
      yield* run("sh", ["-ec", `${all}; cat "$1/new"`, "sh", mountpoint])
      assert.strictEqual(yield* run("ls", [mountpoint]), "made\nnew\n")
    })
  )
})
