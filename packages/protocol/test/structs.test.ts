import { describe, expect, it } from "vitest"
import * as constants from "../src/constants.ts"
import { opcodeTable } from "../src/opcodes.ts"
import { notificationTable } from "../src/notifications.ts"
import * as structs from "../src/generated/structs.ts"
import { camel, exact, fieldsOf, listOf, readJson, textOf } from "./golden.ts"

const abi = readJson("fuse-abi.json")

describe("structs", () => {
  const recorded = Object.entries(fieldsOf(abi["structs"]))
  const ours = new Map<string, Readonly<Record<string, number>>>(Object.entries(structs))

  it("are those of the kernel's header, all 76", () => {
    expect([...ours.keys()].toSorted()).toEqual(recorded.map(([name]) => camel(name.replace(/^fuse_/, ""))).toSorted())
    expect(ours.size).toBe(76)
  })

  it.each(recorded)("%s has its size and offsets", (name, struct) => {
    const { fields, size } = fieldsOf(struct)
    const expected: Record<string, unknown> = { bytes: size }
    for (const field of listOf(fields).map(fieldsOf)) expected[camel(textOf(field["name"]))] = field["offset"]
    expect(ours.get(camel(name.replace(/^fuse_/, "")))).toEqual(expected)
  })
})

describe("numbers", () => {
  it("of opcodes, notifications, extensions and ioctls are the kernel's", () => {
    expect(constants.opcodes).toEqual(abi["opcodes"])
    expect(constants.notifyCodes).toEqual(abi["notify_codes"])
    expect(constants.extensionTypes).toEqual(abi["ext_types"])
    expect(constants.uringCommands).toEqual(abi["uring_cmds"])
    for (const [name, ioctl] of Object.entries(fieldsOf(abi["ioctls"]))) {
      expect(Object.entries(constants.deviceIoctls)).toContainEqual([name, fieldsOf(ioctl)["value"]])
    }
  })

  it("of INIT flags are the kernel's", () => {
    const bits = Object.entries(fieldsOf(abi["init_flags"])).map(([name, flag]) => [name, fieldsOf(flag)["bit"]])
    expect(Object.entries(constants.initFlagBits)).toEqual(bits)
  })

  it("of every other flag are the kernel's", () => {
    const ours = Object.values(constants).flatMap((group) => Object.entries(group))
    for (const family of Object.values(fieldsOf(abi["flags"]))) {
      for (const entry of Object.entries(fieldsOf(family))) expect(ours).toContainEqual(entry)
    }
  })

  it("of limits are the kernel's", () => {
    const limits = Object.entries(constants.limits)
    for (const [name, value] of Object.entries(fieldsOf(abi["constants"])))
      expect(limits).toContainEqual([name, exact(value)])
  })
})

describe("the table", () => {
  const rows = opcodeTable.filter((row) => row !== undefined)

  it("has a row for every opcode but CUSE's and the byte-swapped ones", () => {
    const missing = Object.entries(constants.opcodes).filter(
      ([name, opcode]) => rows.find((row) => row.opcode === opcode && `FUSE_${row.name}` === name) === undefined
    )
    expect(missing.map(([name]) => name)).toEqual(["CUSE_INIT", "CUSE_INIT_BSWAP_RESERVED", "FUSE_INIT_BSWAP_RESERVED"])
  })

  it("knows what a kernel remembers of ENOSYS", () => {
    for (const [name, result] of Object.entries(fieldsOf(readJson("enosys.json")["results"]))) {
      expect(rows.find((row) => row.name === name)?.enosysIsSticky, name).toBe(fieldsOf(result)["sticky"])
    }
  })

  it("has a row for every notification", () => {
    expect(notificationTable.map((row) => [`FUSE_NOTIFY_${row.name}`, row.code])).toEqual(
      Object.entries(constants.notifyCodes)
    )
  })
})
