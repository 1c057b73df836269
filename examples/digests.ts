/**
 * Ten thousand files, 0 to 9999, each what SHA-256 makes of its number a thousand times over: work that is worth a CPU.
 * `npm run example digests MOUNTPOINT`, as root with fuse.enable_uring: then an isolate for each CPU serves it.
 *
 * Each isolate imports this module. Nothing changes, so they need nothing in common but the options; a node's id comes from its
 * number, so no lookup need be counted.
 */
import { createHash } from "node:crypto"
import { type AsyncBackend, Errno, fileType, mount, servedByIsolates } from "bickford"

const count = 10_000
const hour = { sec: 3600, nsec: 0 }
const never = { sec: 0, nsec: 0 }
const common = { uid: 0, gid: 0, rdev: 0, blksize: 4096, flags: 0, atime: never, mtime: never, ctime: never }
const root = { ino: 1, mode: fileType.dir | 0o555, nlink: 2, size: 0, blocks: 0, ...common }
const attrOf = (id: number) =>
  id === 1 ? root : { ino: id, mode: fileType.reg | 0o444, nlink: 1, size: 65, blocks: 1, ...common }
const idOf = (number: number): number => number + 2

const digest = (rounds: number, number: number): string => {
  let text = String(number)
  for (let round = 0; round < rounds; round++) text = createHash("sha256").update(text).digest("hex")
  return `${text}\n`
}

const digests = (rounds: number): AsyncBackend => ({
  lookup: async ({ name }) => {
    const number = Number(name)
    if (String(number) !== name || number < 0 || number >= count) throw Errno.ENOENT
    const nodeid = idOf(number)
    return { nodeid, generation: 0, entryValid: hour, attrValid: hour, attr: attrOf(nodeid) }
  },
  getattr: async ({ nodeid }) => ({ attrValid: hour, attr: attrOf(Number(nodeid)) }),
  read: async ({ nodeid, offset, size }) =>
    Buffer.from(digest(rounds, Number(nodeid) - idOf(0)).slice(Number(offset), Number(offset) + size)),
  readdir: async ({ offset }) =>
    Array.from({ length: Math.min(count - Number(offset), 500) }, (_, n) => {
      const number = Number(offset) + n
      return { ino: idOf(number), off: number + 1, type: 8, name: String(number) }
    })
})

/** Called by each isolate, and below: all serve the same. */
export const backend = (options: { readonly rounds: number }): AsyncBackend =>
  servedByIsolates(digests(options.rounds), { module: import.meta.url, data: options })

if (import.meta.main) {
  const mounted = await mount(process.argv[2] ?? "mnt", backend({ rounds: 1000 }), { threads: "auto" })
  console.log(`serving ${mounted.mountpoint}`)
  await mounted.ended
}
