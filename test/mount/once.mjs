/**
 * Calls that show when one of them was done twice, or not at all. `once.mjs FOLDER ROUNDS`; prints what was wrong.
 */
import * as fs from "node:fs"
import { join } from "node:path"

const [folder, rounds] = process.argv.slice(2)
const wrong = []
let calls = 0
const call = (name, make, expected) => {
  calls++
  let outcome = "ok"
  try {
    const value = make()
    if (expected !== undefined && value !== expected) outcome = String(value).slice(0, 40)
  } catch (error) {
    outcome = error.code ?? String(error)
  }
  if (outcome !== "ok") wrong.push(`${name}: ${outcome}`)
}

fs.mkdirSync(folder)
for (let n = 0; n < Number(rounds); n++) {
  const place = join(folder, `${n}`)
  const file = join(place, "file")
  call("mkdir", () => fs.mkdirSync(place))
  let fd
  call("open", () => (fd = fs.openSync(file, "ax+")))
  let text = ""
  for (let part = 0; part < 4; part++) {
    const piece = `${n}.${part},`.repeat(part * 900 + 1)
    text += piece
    call("append", () => fs.writeSync(fd, piece), piece.length)
  }
  call("ftruncate", () => fs.ftruncateSync(fd, text.length - 1))
  call("link", () => fs.linkSync(file, join(place, "link")))
  call("rename", () => fs.renameSync(file, join(place, "moved")))
  call("copy", () => fs.copyFileSync(join(place, "link"), join(place, "copy"), fs.constants.COPYFILE_EXCL))
  call("unlink", () => fs.unlinkSync(join(place, "link")))
  call("fsync", () => fs.fsyncSync(fd))
  call("symlink", () => fs.symlinkSync("moved", join(place, "symlink")))
  call("content", () => fs.readFileSync(join(place, "symlink"), "latin1"), text.slice(0, -1))
  call("content of the copy", () => fs.readFileSync(join(place, "copy"), "latin1"), text.slice(0, -1))
  call("links", () => fs.statSync(join(place, "moved")).nlink, 1)
  call("names", () => fs.readdirSync(place).sort().join(), "copy,moved,symlink")
  call("unlink, open", () => fs.unlinkSync(join(place, "moved")))
  call(
    "the content of what has no name",
    () => fs.readSync(fd, Buffer.alloc(text.length), 0, text.length, 0),
    text.length - 1
  )
  call("close", () => fs.closeSync(fd))
  call("unlink", () => fs.unlinkSync(join(place, "symlink")))
  if (n % 2 === 0) continue
  call("unlink", () => fs.unlinkSync(join(place, "copy")))
  call("rmdir", () => fs.rmdirSync(place))
}
process.stdout.write(JSON.stringify({ calls, wrong, left: fs.readdirSync(folder).length }))
