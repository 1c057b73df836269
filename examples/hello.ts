/** The smallest filesystem: one file. `npm run example hello MOUNTPOINT` */
import { fileType, mount, PathFilesystem } from "bickford"

const text = "hello from TypeScript\n"

const hello = PathFilesystem.make({
  getattr: (path) => {
    if (path === "/") return { mode: fileType.dir | 0o755 }
    return path === "/hello" && { mode: fileType.reg | 0o444, size: text.length }
  },
  readdir: () => ["hello"],
  read: (_handle, size, offset) => text.slice(Number(offset), Number(offset) + size)
})

const stop = new AbortController()
for (const signal of ["SIGINT", "SIGTERM"] as const) process.once(signal, () => stop.abort())

const mounted = await mount(process.argv[2] ?? "mnt", hello, { signal: stop.signal })
console.log(`serving ${mounted.mountpoint}`)
await mounted.ended
