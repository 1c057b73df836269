/** The published names of `bickford`, and their types as a program sees them: `npm run typecheck` checks the types. */
import { assert, describe, expectTypeOf, it } from "@effect/vitest"
import type * as Effect from "effect/Effect"
import type * as Scope from "effect/Scope"
import { readFileSync } from "node:fs"
import {
  type AsyncBackend,
  type Backend,
  type BackendSource,
  Errno,
  Lifecycle,
  memory,
  mount,
  mountEffect,
  type Mounted,
  MountFailure,
  type MountOptions,
  parseCommandLine,
  passthrough,
  PathFilesystem,
  Protocol,
  readOnly,
  type RequestContext,
  sqlite,
  Transport,
  tree
} from "bickford"
import * as bickford from "bickford"

const names = [
  "AsyncBackend Backend BackendSource CommandLine CommandLineError Ended Errno Lifecycle MemoryOptions MountFailure",
  "MountOptions Mounted Observer PassthroughOptions PathCallbacks PathFilesystem Protocol RequestContext Restart Session",
  "SqliteOptions Supervisor Transport TreeNode Workspace WorkspaceBranch WorkspaceFailure openWorkspace commandLineHelp fileType folder memory metrics mount mountEffect",
  "mountTable mountWorker observe onlyFor parseCommandLine passthrough readOnly servedByIsolates sessionHelp sqlite tree version",
  "wireLog withFaults withLog withOwner"
].flatMap((line) => line.split(" "))

/** The names that the index exports, types included; `export * from` would hide some, and is refused. */
const exportedNames = (): ReadonlyArray<string> => {
  const text = readFileSync(new URL("../src/index.ts", import.meta.url), "utf8")
  assert.notMatch(text, /export \* from/)
  const listed = [...text.matchAll(/^export \{([^}]*)\}/gm)].flatMap(([, list = ""]) => list.split(","))
  const named = listed.map((part) =>
    part
      .trim()
      .replace(/^type /, "")
      .replace(/^.* as /, "")
  )
  return [...named, ...[...text.matchAll(/^export \* as (\w+)/gm)].map(([, name = ""]) => name)].sort()
}

describe("the public interface", () => {
  it("is these names, and no others", () => {
    assert.deepStrictEqual(exportedNames(), [...names].sort())
    for (const name of Object.keys(bickford)) assert.include(names, name)
  })

  it("mounts with a promise, or as an Effect", () => {
    expectTypeOf<Parameters<typeof mount>[0]>().toEqualTypeOf<string>()
    expectTypeOf<BackendSource>().toExtend<Parameters<typeof mount>[1]>()
    expectTypeOf<Parameters<typeof mount>[2]>().toEqualTypeOf<MountOptions | undefined>()
    expectTypeOf(mount).returns.resolves.toEqualTypeOf<Mounted>()
    expectTypeOf<ReturnType<typeof mountEffect>>().toExtend<Effect.Effect<unknown, unknown, Scope.Scope>>()
    expectTypeOf<Mounted>().toExtend<AsyncDisposable>()
    expectTypeOf<Mounted["unmount"]>().returns.resolves.toEqualTypeOf<void>()
    expectTypeOf<MountOptions["signal"]>().toEqualTypeOf<AbortSignal | undefined>()
    expectTypeOf(Lifecycle.start).returns.resolves.toEqualTypeOf<void>()
    expectTypeOf(parseCommandLine).returns.toHaveProperty("options").toEqualTypeOf<MountOptions>()
    expectTypeOf<MountFailure>().toExtend<Error & { readonly code: string; readonly errno: number | undefined }>()
  })

  it("takes each filesystem where a backend is expected", () => {
    expectTypeOf(memory).returns.toExtend<BackendSource>()
    expectTypeOf(sqlite).returns.toExtend<BackendSource>()
    expectTypeOf(passthrough).returns.toExtend<BackendSource>()
    expectTypeOf(tree).returns.toExtend<BackendSource>()
    expectTypeOf(PathFilesystem.make).returns.toExtend<BackendSource>()
    expectTypeOf<Backend>().toExtend<AsyncBackend>()
    expectTypeOf(readOnly).returns.toEqualTypeOf<Backend>()
  })

  it("tells errors and requests by their types", () => {
    const lookup: Backend["lookup"] = (request, context) => {
      expectTypeOf(request.name).toEqualTypeOf<Protocol.Name>()
      expectTypeOf(context).toEqualTypeOf<RequestContext>()
      return Errno.ENOENT
    }
    expectTypeOf(lookup).toExtend<Backend["lookup"]>()
    expectTypeOf<Protocol.U64>().toEqualTypeOf<number | bigint>()
    // @ts-expect-error: a reply to read is bytes.
    const read: Backend["read"] = () => 5
    assert.isFunction(read)
    assert.isFunction(Transport.fromFd)
  })
})
