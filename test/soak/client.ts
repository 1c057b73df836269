/**
 * One of the soak's programs: `client.ts FOLDER SECONDS|FILE [ERRNO]`. Works in a folder of its own
 * until its time is up, or until the file is there, with calls that only the injected faults can make fail: with EIO, or that errno. Every name is used once, so that a call whose fate is not known (EIO)
 * cannot make a later one fail. Prints a report as JSON.
 */
import { createHash } from "node:crypto"
import * as fs from "node:fs"
import { join } from "node:path"

const [folder = "", limit = "0", expected = "EIO"] = process.argv.slice(2)
const end = Date.now() + Number(limit) * 1000
const isOver = (): boolean => (Number.isNaN(end) ? fs.existsSync(limit) : Date.now() >= end)

let calls = 0
let failed = 0
let slowest = 0
const wrong: Array<string> = []

/** A call: its result, or undefined when a fault was injected into it. */
const call = <A>(name: string, make: () => A): { readonly value: A } | undefined => {
  const began = performance.now()
  calls++
  try {
    return { value: make() }
  } catch (error) {
    const code = error instanceof Error && "code" in error ? String(error.code) : String(error)
    failed++
    if (code !== "EIO" && code !== expected) wrong.push(`${name}: ${code}`)
    return undefined
  } finally {
    slowest = Math.max(slowest, performance.now() - began)
  }
}

const read = (file: string): string | undefined => {
  const opened = call("open", () => fs.openSync(file, "r"))
  if (opened === undefined) return undefined
  const buffer = Buffer.alloc(200_000)
  let at = 0
  for (;;) {
    const got = call("read", () => fs.readSync(opened.value, buffer, at, buffer.length - at, at))
    if (got === undefined) break
    at += got.value
    if (got.value > 0) continue
    call("close", () => fs.closeSync(opened.value))
    return createHash("sha1").update(buffer.subarray(0, at)).digest("hex")
  }
  call("close", () => fs.closeSync(opened.value))
  return undefined
}

/** Repeats a call until no fault comes in between. */
const insist = <A>(name: string, make: () => A): A | undefined => {
  for (let attempt = 0; attempt < 100; attempt++) {
    const result = call(name, make)
    if (result !== undefined) return result.value
  }
  wrong.push(`${name} never succeeded`)
  return undefined
}

/** What a call that failed was to do may have been done all the same: then the next fails with `code`. */
const done = (code: string, change: () => void): void => {
  try {
    change()
  } catch (error) {
    if (!(error instanceof Error && "code" in error && error.code === code)) throw error
  }
}

/** Removes a folder, also what calls that failed have left in it. */
const remove = (place: string): void => {
  for (const entry of insist("readdir", () => fs.readdirSync(place, { withFileTypes: true })) ?? []) {
    const path = join(place, entry.name)
    if (entry.isDirectory()) remove(path)
    else insist("unlink", () => done("ENOENT", () => fs.unlinkSync(path)))
  }
  insist("rmdir", () => done("ENOENT", () => fs.rmdirSync(place)))
}
const work = (n: number): void => {
  const place = join(folder, `${n}`)
  if (call("mkdir", () => fs.mkdirSync(place)) === undefined) return
  const file = join(place, "file")
  const content = Buffer.alloc((n * 7919) % 150_000, n)
  const opened = call("create", () => fs.openSync(file, "wx"))
  if (opened !== undefined) {
    let whole = true
    for (let at = 0; at < content.length && whole;) {
      const put = call("write", () =>
        fs.writeSync(opened.value, content, at, Math.min(60_000, content.length - at), at)
      )
      if (put === undefined) whole = false
      else at += put.value
    }
    // The kernel tells of what it could not write when the file is closed.
    whole = call("close", () => fs.closeSync(opened.value)) !== undefined && whole
    const moved = join(place, "moved")
    if (call("rename", () => fs.renameSync(file, moved)) !== undefined) {
      const got = whole ? read(moved) : undefined
      if (got !== undefined && got !== createHash("sha1").update(content).digest("hex"))
        wrong.push(`the content of file ${n}`)
      call("chmod", () => fs.chmodSync(moved, 0o600))
      if (call("link", () => fs.linkSync(moved, join(place, "link"))) !== undefined)
        call("stat", () => fs.statSync(moved))
    }
  }
  remove(place)
}

insist("mkdir", () => done("EEXIST", () => fs.mkdirSync(folder)))
for (let n = 1; !isOver() && wrong.length < 20; n++) work(n)

remove(folder)
process.stdout.write(JSON.stringify({ calls, failed, slowest, wrong }))
