/** The record of a watched disk, of which a process that was killed has left a part. */
import { assert, describe, it } from "@effect/vitest"
import { appendFileSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs"
import { tmpdir } from "node:os"
import { join } from "node:path"
import { mark, readRecord } from "./disk.ts"

const withRecord = (body: (record: string) => void): void => {
  const folder = mkdtempSync(join(tmpdir(), "bickford-record-"))
  try {
    body(join(folder, "record"))
  } finally {
    rmSync(folder, { recursive: true })
  }
}

const textOf = ({ data, path }: { readonly data: Uint8Array; readonly path: string }): string =>
  path + Buffer.from(data).toString()

describe("a record", () => {
  it("is read past what a killed process left of its last call, wherever that was cut", () => {
    withRecord((record) => {
      writeFileSync(record, "")
      mark(record, "cut off")
      const whole = readFileSync(record)
      for (let length = 1; length < whole.length; length++) {
        writeFileSync(record, "")
        mark(record, "before")
        appendFileSync(record, whole.subarray(0, length))
        mark(record, "after")
        assert.deepStrictEqual(readRecord(record, 1).map(textOf), ["before", "after"], `cut after ${length} bytes`)
        assert.throws(() => readRecord(record), /broken/)
      }
    })
  })

  it("may end with such a part", () => {
    withRecord((record) => {
      writeFileSync(record, "")
      mark(record, "before")
      appendFileSync(record, readFileSync(record).subarray(0, 25))
      assert.deepStrictEqual(readRecord(record, 1).map(textOf), ["before"])
    })
  })
})
