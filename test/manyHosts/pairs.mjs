/**
 * `node pairs.mjs ONE OTHER PAIRS`: writes through one mount of a store and looks through the other, in turn, with what
 * was there before in the memory of both. Prints how many looks told of what was before, of how many, as JSON.
 */
import assert from "node:assert"
import { mkdir, open, readdir, readFile, rename, rm, stat, writeFile } from "node:fs/promises"
import { join } from "node:path"

const [one = "", other = "", count = ""] = process.argv.slice(2)
const pairs = Number(count)
const stale = []
let looks = 0

/** Notes a look that did not tell what it had to. */
const look = (what, seen, expected) => {
  looks++
  if (seen !== expected) stale.push(`${what}: ${seen}, not ${expected}`)
}

/** Works in a directory of its own, of both mounts, for so many pairs. */
const work = async (name, mine) => {
  await mkdir(join(one, name))
  const handles = []
  for (const mount of [one, other]) handles.push(await open(join(mount, name, "file"), "a+"))
  for (let n = 0; n < mine; n++) {
    const [writing, reading] = n % 2 === 0 ? [0, 1] : [1, 0]
    const from = join([one, other][writing], name)
    const to = join([one, other][reading], name)
    const text = `${n}${".".repeat(n % 7)}`
    switch (n % 4) {
      case 0:
      case 1:
        await writeFile(join(from, "file"), text)
        look("stat", (await stat(join(to, "file"))).size, text.length)
        look("read", await readFile(join(to, "file"), "utf8"), text)
        look("fstat of a file that is open", (await handles[reading].stat()).size, text.length)
        break
      case 2: {
        await handles[writing].truncate(0)
        await handles[writing].write(text)
        const { buffer, bytesRead } = await handles[reading].read(Buffer.alloc(100), 0, 100, 0)
        look("read of a file that is open", buffer.toString("utf8", 0, bytesRead), text)
        break
      }
      default:
        await writeFile(join(from, `new${n}`), "")
        look("readdir", (await readdir(to)).includes(`new${n}`), true)
        await rename(join(from, `new${n}`), join(from, `moved${n}`))
        look("readdir after a rename", (await readdir(to)).filter((entry) => entry !== "file").join(), `moved${n}`)
        look("stat of the old name", await stat(join(to, `new${n}`)).catch(({ code }) => code), "ENOENT")
        await rm(join(from, `moved${n}`))
        look("readdir after a removal", (await readdir(to)).join(), "file")
    }
  }
  for (const handle of handles) await handle.close()
}

const workers = 4
await Promise.all(Array.from({ length: workers }, (_, n) => work(`w${n}`, Math.ceil(pairs / workers))))
assert.ok(looks >= pairs)
console.log(JSON.stringify({ looks, stale: stale.length, some: stale.slice(0, 10) }))
