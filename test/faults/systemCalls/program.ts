/** Under the shim: each row's call of the addon with its fault. Prints, as JSON, what it answered, by row. */
import { files } from "@bickford/transport"
import { closeSync, mkdtempSync, openSync, readFileSync, rmSync } from "node:fs"
import { tmpdir } from "node:os"
import { join } from "node:path"
import { addon } from "../../../packages/transport/src/native.ts"
import { arm, met } from "./faults.ts"
import { rows } from "./table.ts"

const folder = mkdtempSync(join(tmpdir(), "bickford-calls-"))
const name = join(folder, "file")
const file = openSync(name, "w+")
const text = Buffer.from("what is written is read")
const closed = (pair: ReturnType<typeof addon.pipe_pair>): number => {
  if (typeof pair === "number") return pair
  for (const end of pair) addon.close(end)
  return 0
}
const pair = addon.pipe_pair()
if (typeof pair === "number") throw new Error(`pipe_pair: ${pair}`)
const [readEnd, writeEnd] = pair

/** What each is asked: a number, as the addon answers, or a promise of one. */
const asked: { readonly [name: string]: () => number | Promise<number> } = {
  fs_write: () => files.fs_write(file, text, 0, 0),
  read_range: () => addon.read_range(file, Buffer.alloc(text.length), 0, text.length, 0),
  fsync: () => files.fs_sync(file, 0),
  fdatasync: () => files.fs_sync(file, 1),
  syncfs: () => files.fs_sync(file, 2),
  pipe_pair: () => closed(addon.pipe_pair()),
  socketpair: () => closed(addon.socketpair("seqpacket")),
  write_frame: () => addon.write_frame(writeEnd, text),
  read_frame: () => addon.read_frame(readEnd, Buffer.alloc(100)),
  mount: () => addon.mount("none", join(folder, "none"), "tmpfs", 0, ""),
  unmount: () => addon.unmount(join(folder, "none"), 0)
}

const answers: Array<{ readonly answer: number; readonly met: number; readonly content: string }> = []
for (const { ask, fault } of rows) {
  arm(fault)
  const answer = await (asked[ask]?.() ?? Number.NaN)
  answers.push({ answer, met: met(), content: ask === "fs_write" ? readFileSync(name, "latin1") : "" })
}
closeSync(file)
rmSync(folder, { recursive: true })
process.stdout.write(JSON.stringify(answers))
