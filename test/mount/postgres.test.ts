/** `bickford` with a store in a database, on the real kernel. */
import { assert, it } from "@effect/vitest"
import { readFile, rmdir, writeFile } from "node:fs/promises"
import { join } from "node:path"
import { afterAll, beforeAll } from "vitest"
import { type Cluster, startCluster } from "../../packages/backends/test/postgres/cluster.ts"
import { bickford, makeMountpoint, withMount } from "./bickford.ts"

let cluster: Cluster
beforeAll(async () => {
  cluster = await startCluster()
})
afterAll(() => cluster.remove())

it("is mounted, told of, checked, and there again", async () => {
  const url = cluster.newStore()
  const secret = url.replace("tester@", "tester:secret@")
  await withMount(
    async ({ mountpoint, run }) => {
      await run("sh", ["-c", "mkdir d && echo text > d/file && ln -s file d/link"], { cwd: mountpoint })
      const mounts = await readFile("/proc/mounts", "utf8")
      assert.include(mounts, "postgresql://tester@127.0.0.1")
      assert.notInclude(mounts, "secret")
      const told = await bickford(["info", url])
      assert.strictEqual(told.status, 0, told.stderr)
      assert.include(told.stdout, "holds: 4 inodes, 4096 bytes of files")
      assert.match(told.stdout, /mounted: by process \d+ of host /)
      const checked = await bickford(["fsck", `postgres:${url}`])
      assert.include(checked.stdout, "clean, 4 inodes, 4096 bytes")
      const other = await makeMountpoint()
      const refused = await bickford(["mount", url, other])
      await rmdir(other)
      assert.notStrictEqual(refused.status, 0)
      assert.include(refused.stderr, "is in use by process")
    },
    [],
    secret
  )
  assert.include((await bickford(["info", url])).stdout, "not mounted")
  await withMount(
    async ({ mountpoint, run }) => {
      assert.strictEqual(await run("cat", [join(mountpoint, "d", "link")]), "text\n")
    },
    [],
    url
  )
})

it("that is not there is told of, with what to run", async () => {
  const { status, stderr } = await bickford(["mount", "postgres:", "/nowhere"])
  assert.notStrictEqual(status, 0)
  assert.include(stderr, "apt-get install postgresql")
})

it("takes the password of ~/.pgpass, and tells of one that is wrong", async () => {
  const url = cluster.newStore()
  cluster.psql(url, "CREATE ROLE secured LOGIN PASSWORD 'p:w'; GRANT CREATE ON DATABASE postgres TO secured")
  const secured = url.replace("tester@", "secured@")
  const file = join(cluster.folder, "pgpass")
  await writeFile(file, "# a comment\n127.0.0.1:*:*:secured:p\\:w\n", { mode: 0o600 })
  const env = (more: NodeJS.ProcessEnv) => ({ env: { ...process.env, ...more } })
  const told = await bickford(["info", secured], env({ PGPASSFILE: file }))
  assert.include(told.stderr, "there is no store in it")
  const given = await bickford(["info", secured], env({ PGPASSWORD: "p:w" }))
  assert.include(given.stderr, "there is no store in it")
  const wrong = await bickford(["info", secured], env({ PGPASSWORD: "wrong" }))
  assert.include(wrong.stderr, "PGPASSWORD or ~/.pgpass")
})
