/**
 * A live view of this process: `npm run example process MOUNTPOINT`
 * `cat MOUNTPOINT/memory.json; ls MOUNTPOINT/env; cat MOUNTPOINT/env/PATH; head -1 MOUNTPOINT/clock`
 */
import { folder, mount, tree } from "bickford"
import * as Effect from "effect/Effect"
import * as Stream from "effect/Stream"

const json = (make: () => unknown) => () => `${JSON.stringify(make(), undefined, 2)}\n`

const view = tree({
  pid: `${process.pid}\n`,
  uptime: () => `${process.uptime().toFixed(1)} s\n`,
  "memory.json": json(() => process.memoryUsage()),
  "versions.json": json(() => process.versions),
  // Listed when somebody looks, so it is as it is then.
  env: folder(() =>
    Object.fromEntries(Object.entries(process.env).map(([name, value]) => [name.replaceAll("/", "_"), `${value}\n`]))
  ),
  clock: () => Effect.sync(() => Stream.fromIterable(["it is ", new Date().toISOString(), "\n"]))
})

const stop = new AbortController()
for (const signal of ["SIGINT", "SIGTERM"] as const) process.once(signal, () => stop.abort())

const mounted = await mount(process.argv[2] ?? "mnt", view, { signal: stop.signal })
console.log(`serving ${mounted.mountpoint}`)
await mounted.ended
