/**
 * A PostgreSQL server for tests: Debian's, on a port and in a folder of its own, one for all tests of a file. The server
 * refuses to run as root, so that root's tests have it run as the user `postgres` or `nobody`.
 */
import { type ChildProcess, execFileSync, spawn, spawnSync } from "node:child_process"
import { chownSync, existsSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from "node:fs"
import { createServer } from "node:net"
import { tmpdir } from "node:os"
import { join } from "node:path"

/** A server that runs. */
export interface Cluster {
  readonly port: number
  readonly folder: string
  /** The URL of a store that is not there yet: a schema of its own, which is made sooner than a database. */
  readonly newStore: () => string
  /** Runs SQL in a store, and returns what psql prints: rows as lines, columns parted by `|`. */
  readonly psql: (url: string, sql: string) => string
  /** Stops the server as a crash does, and starts it again. */
  readonly crash: () => void
  readonly stop: () => void
  readonly start: () => void
  /** Stops the server and removes all of it. */
  readonly remove: () => void
}

const installed = "/usr/lib/postgresql"

/** The folder of the newest server's programs; installs one where there is none. */
export const postgresPrograms = (): string => {
  const newest = (): string | undefined =>
    existsSync(installed)
      ? readdirSync(installed)
          .filter((version) => existsSync(join(installed, version, "bin", "initdb")))
          .sort((a, b) => Number(a) - Number(b))
          .at(-1)
      : undefined
  if (newest() === undefined) spawnSync("apt-get", ["install", "-y", "--no-install-recommends", "postgresql"])
  const version = newest()
  if (version === undefined)
    throw new Error("these tests need a PostgreSQL server, and none could be installed: apt-get install postgresql")
  return join(installed, version, "bin")
}

/** The user that the server runs as, when the tests run as root. */
const serverUser = (): { readonly uid: number; readonly gid: number } | undefined => {
  if (process.getuid?.() !== 0) return undefined
  for (const name of ["postgres", "nobody"]) {
    const line = readFileSync("/etc/passwd", "utf8")
      .split("\n")
      .find((one) => one.startsWith(`${name}:`))
    const [, , uid, gid] = line?.split(":") ?? []
    if (uid !== undefined && gid !== undefined) return { uid: Number(uid), gid: Number(gid) }
  }
  throw new Error("a PostgreSQL server refuses to run as root, and there is neither a user postgres nor nobody")
}

const freePort = (): Promise<number> =>
  new Promise((resolve, reject) => {
    const server = createServer()
    server.once("error", reject)
    server.listen(0, "127.0.0.1", () => {
      const address = server.address()
      server.close(() => (address !== null && typeof address === "object" ? resolve(address.port) : reject(address)))
    })
  })

/** Settings of a server whose data nobody will miss, and that shares the machine with others. */
const settings = (port: number, folder: string): string =>
  Object.entries({
    port,
    listen_addresses: "127.0.0.1",
    unix_socket_directories: folder,
    max_connections: 60,
    shared_buffers: "32MB",
    // What a crash of the server loses is not what a crash of the machine does: the page cache stays.
    fsync: "off",
    full_page_writes: "off",
    autovacuum_naptime: "30s",
    max_wal_size: "256MB",
    log_min_messages: "fatal"
  })
    .map(([name, value]) => `-c ${name}=${value}`)
    .join(" ")

/**
 * Removes a server and its folder once this process has ended, however it ends: a shell in a session of its own reads from
 * a pipe that nobody writes to, and that is closed with the process. SIGQUIT is the server's immediate shutdown.
 */
const guard = (folder: string): ChildProcess => {
  const script = `read -r _
    pid=$(head -n 1 "$1/data/postmaster.pid") && kill -QUIT "$pid" && while kill -0 "$pid"; do sleep 0.05; done
    rm -rf "$1"`
  const guarding = spawn("sh", ["-c", script, "sh", folder], {
    cwd: "/",
    detached: true,
    stdio: ["pipe", "ignore", "ignore"]
  })
  guarding.unref()
  return guarding
}

/** Starts a server, empty; it is to be removed, and is when this process ends without having done so. */
export const startCluster = async (): Promise<Cluster> => {
  const bin = postgresPrograms()
  const user = serverUser()
  const folder = mkdtempSync(join(tmpdir(), "bickford-postgres-"))
  if (user !== undefined) chownSync(folder, user.uid, user.gid)
  const as = { ...user, cwd: folder, stdio: ["ignore", "pipe", "pipe"] as ["ignore", "pipe", "pipe"] }
  const port = await freePort()
  const data = join(folder, "data")
  const run = (program: string, args: ReadonlyArray<string>): string =>
    execFileSync(join(bin, program), args, { ...as, encoding: "utf8" })
  run("initdb", ["-D", data, "-U", "tester", "-A", "trust", "-E", "UTF8", "--no-locale", "--no-sync"])
  // A user of this name has to give a password.
  const access = join(data, "pg_hba.conf")
  writeFileSync(access, `host all secured 127.0.0.1/32 scram-sha-256\n${readFileSync(access, "utf8")}`)
  // A server that pg_ctl starts would keep the pipes of this process open: its output goes to a file.
  const start = (): void =>
    void run("pg_ctl", ["-D", data, "-w", "-l", join(folder, "log"), "-o", settings(port, folder), "start"])
  const stop = (mode: string): void => void run("pg_ctl", ["-D", data, "-w", "-m", mode, "stop"])
  const guarding = guard(folder)
  start()
  let stores = 0
  const psql = (url: string, sql: string): string => {
    const given = new URL(url)
    const path = `SET search_path = ${given.searchParams.get("schema") ?? "public"}`
    given.searchParams.delete("schema")
    return run("psql", [
      "-X",
      "-q",
      "-t",
      "-A",
      "-v",
      "ON_ERROR_STOP=1",
      "-d",
      given.href,
      "-c",
      path,
      "-c",
      sql
    ]).trim()
  }
  return {
    port,
    folder,
    newStore: () => `postgresql://tester@127.0.0.1:${port}/postgres?schema=store${++stores}`,
    psql,
    crash: () => {
      stop("immediate")
      start()
    },
    stop: () => stop("immediate"),
    start,
    remove: () => {
      spawnSync(join(bin, "pg_ctl"), ["-D", data, "-w", "-m", "immediate", "stop"], as)
      rmSync(folder, { recursive: true, force: true })
      guarding.stdin?.destroy()
    }
  }
}
