/** Configurations: what they mean, and what is said of those that are wrong. */
import { assert, describe, it } from "@effect/vitest"
import * as Result from "effect/Result"
import { readFileSync } from "node:fs"
import { decodeConfig } from "../src/config/readConfig.ts"

const decoded = (text: string) => Result.getOrThrow(decodeConfig(text, "/srv"))
const problems = (text: string) => Result.getOrThrow(Result.flip(decodeConfig(text, "/srv")))

describe("a configuration", () => {
  it("has defaults, and paths from its own folder", () => {
    assert.deepStrictEqual(
      decoded(`
      runtime_directory = "run"
      [mounts.data]
      source = "sqlite:data.store"
      mountpoint = "mnt"
    `),
      {
        runtimeDirectory: "/srv/run",
        mounts: [
          {
            name: "data",
            source: "sqlite:/srv/data.store",
            mountpoint: "/srv/mnt",
            options: [],
            restart: { intensity: 5, period: 60_000, backoff: { initial: 100, max: 10_000 } },
            whenLost: "restart",
            limits: {},
            heartbeat: 30_000,
            startTimeout: 30_000,
            slowCall: 100,
            traceparent: false
          }
        ]
      }
    )
  })

  it("of the systemd example is right", () => {
    const { mounts } = decoded(
      readFileSync(new URL("../../../examples/systemd/bickford.toml", import.meta.url), "utf8")
    )
    assert.deepStrictEqual(
      mounts.map(({ name }) => name),
      ["data", "scratch"]
    )
  })

  it("says everything", () => {
    const {
      mounts: [outer, inner],
      otlp,
      port
    } = decoded(`
      port = 9100
      [otlp]
      endpoint = "http://localhost:4318/"
      headers = { x-key = "secret" }
      interval = "5s"
      [mounts.inner]
      source = "memory:"
      mountpoint = "/mnt/a/b"
      options = "ro,size=1m"
      when_lost = "unmount"
      heartbeat = "500ms"
      start_timeout = "2m"
      slow_call = "20ms"
      traceparent = true
      restart = { intensity = 2, period = "1m", backoff = { initial = 0.5, max = 2 } }
      limits = { memory = 256, threads = 2 }
      [mounts.outer]
      source = "passthrough:/home"
      mountpoint = "/mnt/a"
    `)
    assert.strictEqual(port, 9100)
    assert.deepStrictEqual(otlp, {
      endpoint: "http://localhost:4318",
      headers: { "x-key": "secret" },
      interval: 5000,
      serviceName: "bickford"
    })
    assert.strictEqual(outer?.name, "outer", "what lies in another mount comes after it")
    assert.deepStrictEqual(inner, {
      name: "inner",
      source: "memory:",
      mountpoint: "/mnt/a/b",
      options: ["ro,size=1m"],
      restart: { intensity: 2, period: 60_000, backoff: { initial: 500, max: 2000 } },
      whenLost: "unmount",
      limits: { memory: 256, threads: 2 },
      heartbeat: 500,
      startTimeout: 120_000,
      slowCall: 20,
      traceparent: true
    })
  })

  it("that is wrong: every problem at once, with its key and what was expected", () => {
    assert.deepStrictEqual(
      problems(`
      prot = 1
      port = 70000
      [mounts.a]
      sourc = "memory:"
      mountpoint = 5
      restart = { period = "soon", intensty = 1 }
      [mounts.b]
      source = "memory:"
      mountpoint = "/b"
      when_lost = "panic"
    `).toSorted(),
      [
        "mounts.a.mountpoint: expected text, got 5",
        "mounts.a.restart.intensty: there is no such key; did you mean intensity?",
        'mounts.a.restart.period: expected a length of time, as 30 (seconds) or "500ms", got "soon"',
        "mounts.a.sourc: there is no such key; did you mean source?",
        "mounts.a.source is missing",
        'mounts.b.when_lost: expected "restart" | "unmount", got "panic"',
        "port: expected a port, 1 to 65535, got 70000",
        "prot: there is no such key; did you mean port?"
      ]
    )
  })

  it("that contradicts itself is refused", () => {
    assert.deepStrictEqual(
      problems(`
      [mounts.a]
      source = "sqlite:/store"
      mountpoint = "/mnt/"
      options = ["alow_other"]
      [mounts.b]
      source = "sqlite:/store"
      mountpoint = "/mnt"
      [mounts.c]
      source = "sqlit:/x"
      mountpoint = "/c"
      options = "auto_unmount"
    `),
      [
        "mounts.a.options: unknown option alow_other; did you mean allow_other?",
        'mounts.c.source: expected memory:, sqlite:PATH, postgres:URL, passthrough:DIR, workspace:DIR, zip:PATH, tar:PATH, http://HOST/PATH/, https://HOST/PATH/, s3:BUCKET/PREFIX, git:DIR#REVISION or module:PATH, got "sqlit:/x"',
        "mounts.c.options: auto_unmount is for mounts without the daemon, which unmounts what it gives up",
        "mounts.b.mountpoint: is that of mounts.a as well",
        "mounts.b.source: is the store of mounts.a as well"
      ]
    )
    assert.match(problems("[mounts").join(), /Invalid TOML/)
  })
})
