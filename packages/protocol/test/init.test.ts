import * as fc from "fast-check"
import { describe, expect, it } from "vitest"
import { initFlagBits, openReplyFlags } from "../src/constants.ts"
import { isDecodeError } from "../src/decodeError.ts"
import { flagsOfNames, initFlagsOfNames, namesOfFlags, namesOfInitFlags } from "../src/flags.ts"
import { frameOf } from "../src/frame.ts"
import {
  type Agreement,
  encodeInitReply,
  hasFlag,
  type InitBackend,
  isInitError,
  type InitFlagName,
  type InitOptions,
  readInitReply
} from "../src/init.ts"
import type { InitRequest } from "../src/messages.ts"
import { negotiate } from "../src/negotiate.ts"
import { decodeRequest } from "../src/wire.ts"
import { bytesOf, readJson } from "./golden.ts"

const kernel = (() => {
  const request = decodeRequest(frameOf(bytesOf(readJson("frames/001-init-session-full.json")["request_hex"])))
  if (isDecodeError(request) || request.op !== "init") throw new Error("not INIT")
  return request
})()

const agree = (offer: InitRequest = kernel, options: InitOptions = {}, backend: InitBackend = {}): Agreement => {
  const agreement = negotiate(offer, options, backend)
  if (isInitError(agreement)) throw new Error(agreement.message)
  return agreement
}
const problem = (offer: InitRequest, options: InitOptions = {}) => {
  const agreement = negotiate(offer, options, {})
  return isInitError(agreement) ? agreement.reason : "agreed"
}
const all = {
  capabilities: {
    posixLocks: true,
    flock: true,
    atomicOTrunc: true,
    exportSupport: true,
    handleKillprivV2: true,
    dontMask: true,
    writebackCache: true,
    cacheSymlinks: true,
    noOpen: true,
    noOpendir: true,
    createSuppGroup: true,
    posixAcl: true,
    handleKillpriv: true,
    explicitInvalData: true,
    directIoAllowMmap: true,
    spliceWrite: true,
    spliceMove: true,
    spliceRead: true
  },
  writeBuf: () => {},
  setlk: () => {},
  readdirplus: () => {}
}

describe("a backend of which nothing is known", () => {
  const { negotiated, refused, reply } = agree()
  it("gets what needs nothing of it, and no more", () => {
    const names = [...namesOfInitFlags(reply).names].toSorted()
    expect(names).toEqual([
      "FUSE_ABORT_ERROR",
      "FUSE_ASYNC_DIO",
      "FUSE_ASYNC_READ",
      "FUSE_AUTO_INVAL_DATA",
      "FUSE_BIG_WRITES",
      "FUSE_HAS_EXPIRE_ONLY",
      "FUSE_HAS_IOCTL_DIR",
      "FUSE_HAS_RESEND",
      "FUSE_INIT_EXT",
      "FUSE_MAX_PAGES",
      "FUSE_NO_EXPORT_SUPPORT",
      "FUSE_PARALLEL_DIROPS",
      "FUSE_SETXATTR_EXT"
    ])
    expect(refused).toEqual([])
  })
  it("gets requests of 1 MiB", () => {
    expect(negotiated).toMatchObject({
      minor: 45,
      maxWrite: 1048576,
      maxPages: 256,
      maxBackground: 64,
      congestionThreshold: 48,
      timeGran: 1
    })
    expect(reply).toMatchObject({ major: 7, minor: 45, maxReadahead: 384 << 10, maxPages: 256 })
  })
  it("agrees on plain data", () => {
    expect(structuredClone(negotiated)).toEqual(negotiated)
  })
})

it("a capability is asked for when it is declared and the operations are there", () => {
  const { negotiated } = agree(kernel, {}, all)
  expect(negotiated).toMatchObject({
    posixLocks: true,
    flockLocks: true,
    atomicOTrunc: true,
    exportSupport: true,
    handleKillprivV2: true,
    dontMask: true,
    writebackCache: true,
    cacheSymlinks: true,
    noOpen: true,
    noOpendir: true,
    createSuppGroup: true,
    posixAcl: true,
    readdirplus: true,
    readdirplusAuto: true,
    handleKillpriv: true,
    explicitInvalData: true,
    directIoAllowMmap: true,
    spliceWrite: true,
    spliceMove: true
  })
  expect(agree(kernel, {}, { capabilities: { spliceMove: true } }).refused).toEqual([
    { flag: "FUSE_SPLICE_MOVE", by: "backend" }
  ])
  const without = agree(kernel, {}, { capabilities: { posixLocks: true } })
  expect(without.negotiated.posixLocks).toBe(false)
  expect(without.refused).toEqual([{ flag: "FUSE_POSIX_LOCKS", by: "backend" }])
})

it("options turn off what would be on, and on what the transport can do", () => {
  const off = agree(
    kernel,
    {
      asyncRead: false,
      parallelDirops: false,
      abortError: false,
      resend: false,
      writebackCache: false,
      readdirplus: "never"
    },
    all
  )
  expect(off.negotiated).toMatchObject({
    asyncRead: false,
    parallelDirops: false,
    abortError: false,
    resend: false,
    writebackCache: false,
    readdirplus: false
  })
  expect(agree(kernel, { posixAcl: false }, all).negotiated).toMatchObject({ posixAcl: false, dontMask: true })
  expect(agree(kernel, { readdirplus: "always" }, all).negotiated).toMatchObject({
    readdirplus: true,
    readdirplusAuto: false
  })
  expect(agree(kernel, { readdirplus: "always" }).refused).toEqual([{ flag: "FUSE_DO_READDIRPLUS", by: "backend" }])
  expect(agree(kernel, { writebackCache: true }).refused).toEqual([{ flag: "FUSE_WRITEBACK_CACHE", by: "backend" }])
  const offer = { ...kernel, flags2: 0xffffffff }
  expect(agree(offer, { overIoUring: true, securityCtx: true, requestTimeout: 30 })).toMatchObject({
    negotiated: { overIoUring: true, securityCtx: true, requestTimeout: 30 },
    reply: { requestTimeout: 30 }
  })
  expect(agree({ ...kernel, flags2: 0 }, { requestTimeout: 30 }).negotiated.requestTimeout).toBe(0)
})

it("leaves locks to the kernel where requests come over io_uring", () => {
  const offer = { ...kernel, flags2: 0xffffffff }
  const locks = { capabilities: { posixLocks: true, flock: true }, setlk: () => undefined }
  expect(agree(offer, {}, locks).negotiated).toMatchObject({ posixLocks: true, flockLocks: true })
  const silent = agree(offer, { overIoUring: true }, locks)
  expect(silent.negotiated).toMatchObject({ overIoUring: true, posixLocks: false, flockLocks: false })
  expect(silent.refused).toEqual(agree(offer, {}, locks).refused)
  expect(agree(offer, { overIoUring: true, flock: true }, locks).refused).toContainEqual({
    flag: "FUSE_FLOCK_LOCKS",
    by: "transport"
  })
  // A kernel that does not offer the rings is asked for the locks.
  expect(agree({ ...offer, minor: 41, flags2: 0x1ff }, { overIoUring: true }, locks).negotiated).toMatchObject({
    overIoUring: false,
    posixLocks: true
  })
})

it("security contexts need 7.38, which says where they lie", () => {
  const offer = { ...kernel, minor: 37, flags2: 0xffffffff }
  expect(agree(offer, { securityCtx: true }).negotiated.securityCtx).toBe(false)
  expect(agree({ ...offer, minor: 38 }, { securityCtx: true }).negotiated.securityCtx).toBe(true)
})

describe("who drops cached pages", () => {
  const flagsOf = (offer: InitRequest, capabilities: InitBackend["capabilities"]) =>
    [...namesOfInitFlags(agree(offer, {}, capabilities === undefined ? {} : { capabilities }).reply).names].filter(
      (name) => name.endsWith("_INVAL_DATA")
    )
  const without = (flag: InitFlagName): InitRequest => ({
    ...kernel,
    flags: (kernel.flags & ~(1 << initFlagBits[flag])) >>> 0
  })
  it("the backend alone, where it says so: the kernel would look at the other flag first", () => {
    expect(flagsOf(kernel, { explicitInvalData: true })).toEqual(["FUSE_EXPLICIT_INVAL_DATA"])
    expect(flagsOf(kernel, { explicitInvalData: true, autoInvalData: true })).toEqual(["FUSE_EXPLICIT_INVAL_DATA"])
    expect(agree(kernel, {}, { capabilities: { explicitInvalData: true } }).negotiated.explicitInvalData).toBe(true)
  })
  it("the kernel, where it knows nothing else", () => {
    const old = without("FUSE_EXPLICIT_INVAL_DATA")
    expect(flagsOf(old, { explicitInvalData: true })).toEqual(["FUSE_AUTO_INVAL_DATA"])
    expect(flagsOf(old, { explicitInvalData: true, autoInvalData: false })).toEqual([])
    expect(agree(old, {}, { capabilities: { explicitInvalData: true } }).refused).toEqual([
      { flag: "FUSE_EXPLICIT_INVAL_DATA", by: "kernel" }
    ])
  })
})

it("both ways of clearing set-user-ID are asked for as they are declared", () => {
  const killing = (capabilities: NonNullable<InitBackend["capabilities"]>) => {
    const { handleKillpriv, handleKillprivV2 } = agree(kernel, {}, { capabilities }).negotiated
    return { handleKillpriv, handleKillprivV2 }
  }
  expect(killing({ handleKillpriv: true })).toEqual({ handleKillpriv: true, handleKillprivV2: false })
  expect(killing({ handleKillprivV2: true })).toEqual({ handleKillpriv: false, handleKillprivV2: true })
  expect(killing({ handleKillpriv: true, handleKillprivV2: true })).toEqual({
    handleKillpriv: true,
    handleKillprivV2: true
  })
})

it("idmapped mounts are allowed where the backend declares them and the kernel is known to check permissions", () => {
  const asked = (options: InitOptions, capabilities: NonNullable<InitBackend["capabilities"]>, offer = kernel) => {
    const { negotiated, refused, reply } = agree(offer, options, { capabilities })
    return {
      allowIdmap: negotiated.allowIdmap,
      flag: hasFlag(reply, "FUSE_ALLOW_IDMAP"),
      refused: refused.some(({ flag }) => flag === "FUSE_ALLOW_IDMAP")
    }
  }
  const offer = { ...kernel, flags2: 0xffffffff }
  expect(asked({ allowIdmap: true }, { allowIdmap: true }, offer)).toEqual({
    allowIdmap: true,
    flag: true,
    refused: false
  })
  for (const [options, capabilities] of [
    [{}, { allowIdmap: true }],
    [{ allowIdmap: true }, {}],
    [{ allowIdmap: false }, { allowIdmap: true }]
  ] as const) {
    expect(asked(options, capabilities, offer)).toEqual({ allowIdmap: false, flag: false, refused: false })
  }
  expect(asked({ allowIdmap: true }, { allowIdmap: true }, { ...kernel, flags2: 0 })).toEqual({
    allowIdmap: false,
    flag: false,
    refused: false
  })
})

it("passthrough gets a stack depth, and the writeback cache beside it is refused, whatever the kernel offers", () => {
  const both = { passthrough: true, writebackCache: true }
  for (const offer of [kernel, { ...kernel, flags: 0, flags2: 0 }]) {
    const refused = negotiate(offer, {}, { capabilities: both })
    expect(refused).toMatchObject({ _tag: "InitError", reason: "option", option: "writebackCache" })
    expect(refused).toHaveProperty("message", expect.stringMatching(/writebackCache.*passthrough/))
  }
  const { negotiated, refused, reply } = agree(
    kernel,
    { maxStackDepth: 2, writebackCache: false },
    { capabilities: both }
  )
  expect(negotiated).toMatchObject({ passthrough: true, writebackCache: false })
  expect(reply.maxStackDepth).toBe(2)
  expect(refused).toEqual([])
})

it("data is left in pipes for a backend that takes it from there", () => {
  const able = { capabilities: { spliceRead: true } }
  expect(agree(kernel, {}, { ...able, writeBuf: () => {} }).negotiated.spliceRead).toBe(true)
  const without = agree(kernel, {}, able)
  expect(without.negotiated.spliceRead).toBe(false)
  expect(without.refused).toEqual([{ flag: "FUSE_SPLICE_READ", by: "backend" }])
  expect(agree(kernel, {}, { writeBuf: () => {} }).negotiated.spliceRead).toBe(false)
})

it("a write is as long as the transport's frames and 16 bits of pages allow", () => {
  const large = agree(kernel, { maxWrite: 4 << 20, frameCapacity: (4 << 20) + 4096 })
  expect(large).toMatchObject({
    reply: { maxWrite: 4 << 20, maxPages: 1024 },
    negotiated: { maxWrite: 4 << 20, maxPages: 1024 }
  })
  expect(agree(kernel, { maxWrite: 65535 * 4096 }).reply).toMatchObject({ maxWrite: 65535 * 4096, maxPages: 65535 })
  expect(agree({ ...kernel, flags: (1 << 22) - 1, flags2: 0 }, { maxWrite: 4 << 20 }).negotiated).toMatchObject({
    maxWrite: 131072,
    maxPages: 32
  })
  expect(agree(kernel, { frameCapacity: 8 << 20 }).negotiated.maxWrite).toBe(1 << 20)
})

it("the transport's frames bound a write", () => {
  expect(agree(kernel, { frameCapacity: 135168 }).negotiated.maxWrite).toBe(131072)
  expect(agree(kernel, { maxWrite: 5000 }).negotiated).toMatchObject({ maxWrite: 5000, maxPages: 2 })
})

describe("older kernels", () => {
  it("7.31 has no second word of flags", () => {
    const { negotiated, reply } = agree({ ...kernel, minor: 31, flags: 0x03ffffff & kernel.flags, flags2: 0 }, {}, all)
    expect(reply).toMatchObject({ minor: 31, flags2: 0, maxPages: 256 })
    expect(negotiated).toMatchObject({
      minor: 31,
      setxattrExt: false,
      resend: false,
      handleKillprivV2: false,
      readdirplus: true
    })
  })
  it("one without FUSE_MAX_PAGES is held to 32 pages", () => {
    const { negotiated, reply } = agree({ ...kernel, minor: 27, flags: (1 << 22) - 1, flags2: 0 })
    expect(negotiated).toMatchObject({ maxWrite: 131072, maxPages: 32 })
    expect(reply.maxPages).toBe(0)
  })
  it("7.22 and before take 24 bytes", () => {
    const view = new DataView(new ArrayBuffer(64))
    const { reply } = agree({ ...kernel, minor: 22, flags: 0xffff, flags2: 0 })
    expect(encodeInitReply(reply, view, 0)).toBe(24)
    expect(readInitReply(view, 0, 24)).toMatchObject({ minor: 22, maxWrite: reply.maxWrite, timeGran: 0, flags2: 0 })
    expect(encodeInitReply({ ...reply, minor: 23 }, view, 0)).toBe(64)
  })
  it("their INIT ends after 16 bytes", () => {
    const frame = bytesOf(readJson("frames/001-init-session-full.json")["request_hex"]).slice(0, 56)
    frame[0] = 56
    expect(decodeRequest(frameOf(frame))).toMatchObject({ op: "init", flags: kernel.flags, flags2: 0 })
  })
  it("before 7.12, and other majors, are refused", () => {
    expect(problem({ ...kernel, minor: 11 })).toBe("minor")
    expect(problem({ ...kernel, major: 6 })).toBe("major")
    expect(problem({ ...kernel, major: 8 })).toBe("major")
    expect(problem({ ...kernel, minor: 12, flags2: 0 })).toBe("agreed")
  })
})

it("a newer kernel gets our minor", () => {
  expect(agree({ ...kernel, minor: 99 }).negotiated.minor).toBe(45)
})

it.each<[keyof InitOptions, number]>([
  ["maxWrite", 4095],
  ["maxWrite", 268431361],
  ["maxWrite", Number.NaN],
  ["maxBackground", 0],
  ["maxBackground", 65536],
  ["timeGranularity", 0],
  ["congestionThreshold", 0],
  ["requestTimeout", -1],
  ["maxStackDepth", 3],
  ["maxReadahead", -1],
  ["frameCapacity", 100]
])("%s cannot be %d", (option, value) => {
  expect(problem(kernel, { [option]: value })).toBe("option")
})

it("never answers with what was not offered", () => {
  const word = fc.integer({ min: 0, max: 0xffffffff })
  fc.assert(
    fc.property(word, word, fc.integer({ min: 12, max: 60 }), fc.boolean(), (flags, flags2, minor, passthrough) => {
      const { negotiated, reply } = agree(
        { ...kernel, minor, flags, flags2 },
        { overIoUring: true, securityCtx: true, requestTimeout: 5 },
        {
          ...all,
          capabilities: { ...all.capabilities, passthrough, writebackCache: !passthrough }
        }
      )
      expect((reply.flags & ~flags) >>> 0).toBe(0)
      expect((reply.flags2 & ~flags2) >>> 0).toBe(0)
      if (!hasFlag({ flags, flags2 }, "FUSE_INIT_EXT")) expect(reply.flags2).toBe(0)
      expect(negotiated.flags).toBe(reply.flags)
      expect(negotiated.flags2).toBe(reply.flags2)
    })
  )
})

describe("flag words", () => {
  const word = fc.integer({ min: 0, max: 0xffffffff })
  it("are sets of names and what has none, and back", () => {
    expect([...namesOfFlags(0x83, openReplyFlags).names]).toEqual([
      "FOPEN_DIRECT_IO",
      "FOPEN_KEEP_CACHE",
      "FOPEN_PASSTHROUGH"
    ])
    expect(namesOfFlags(0x80000001, openReplyFlags).unknown).toBe(0x80000000)
    fc.assert(
      fc.property(word, (flags) => {
        expect(flagsOfNames(namesOfFlags(flags, openReplyFlags), openReplyFlags)).toBe(flags)
      })
    )
  })
  it("of INIT likewise, both words", () => {
    fc.assert(
      fc.property(word, word, (flags, flags2) => {
        const named = namesOfInitFlags({ flags, flags2 })
        expect(initFlagsOfNames(named)).toEqual({ flags, flags2 })
        for (const name of Object.keys(initFlagBits) as ReadonlyArray<InitFlagName>)
          expect(named.names.has(name)).toBe(hasFlag({ flags, flags2 }, name))
      })
    )
  })
})
