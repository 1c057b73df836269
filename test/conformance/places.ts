/** Where the table is run: a folder that a filesystem serves, and nothing of which is left afterwards. */
import { chmod, mkdir, mkdtemp, realpath, rm } from "node:fs/promises"
import { tmpdir } from "node:os"
import { join } from "node:path"
import { startCluster } from "../../packages/backends/test/postgres/cluster.ts"
import { withMount } from "../mount/bickford.ts"
import { startByIsolates, startOnRings } from "../mount/onRings.ts"
import { run } from "../mount/processes.ts"
import { fillFolders } from "./fullBase.ts"
import { withFuseNative } from "./fuseNativePlace.ts"

export interface Place {
  readonly folder: string
  /** A FUSE mount: the kernel stands between. */
  readonly fuse: boolean
  /** Lets whoever hangs in the filesystem go on, and says what is known of it. */
  readonly release: () => Promise<string>
  /** Why the kernel does this in its own way, without asking; undefined when it asks. */
  readonly byKernel?: (behaviour: string) => string | undefined
}

type Body = (place: Place) => Promise<void>

/** A fresh folder of the machine's own that every user may search. */
const withFolder = async (body: (folder: string) => Promise<void>): Promise<void> => {
  const folder = await realpath(await mkdtemp(join(tmpdir(), "bickford-conformance-")))
  try {
    await chmod(folder, 0o755)
    await body(folder)
  } finally {
    await rm(folder, { recursive: true, force: true })
  }
}

const mounted = (source: string, body: Body, args: ReadonlyArray<string> = []): Promise<void> =>
  withMount(({ letGo, mountpoint }) => body({ folder: mountpoint, fuse: true, release: letGo }), args, source)

const mountedOnRings = (source: string, body: Body, begin = startOnRings): Promise<void> =>
  withMount(({ letGo, mountpoint }) => body({ folder: mountpoint, fuse: true, release: letGo }), [], source, begin)

const noHandles = (behaviour: string): string | undefined =>
  behaviour.startsWith("by a file handle")
    ? "it gives no handles of a mount that does not find every node by its number (FUSE_NO_EXPORT_SUPPORT)"
    : undefined

const writesByItself = (behaviour: string): string | undefined =>
  /^(write|pwrite|append) by another user than root: 02767/.test(behaviour)
    ? "it writes to the file behind by itself, and fuse_setattr keeps set-group-ID where the group may not execute"
    : noHandles(behaviour)

const served = (name: string): string => `module:${join(import.meta.dirname, "..", "faces", "served", `${name}.ts`)}`

/** Of a face: by the module that serves it. */
const face =
  (name: string) =>
  (body: Body): Promise<void> =>
    mounted(served(name), (place) => body({ ...place, byKernel: noHandles }))

/** Of a face that serves a folder of the machine's own. */
const faceOfFolder =
  (name: string) =>
  (body: Body): Promise<void> =>
    withFolder((folder) => {
      process.env["FACES_ROOT"] = folder
      return face(name)(body)
    })

const ofKernel = (folder: string): Place => ({
  folder,
  fuse: false,
  release: () => Promise.resolve("nothing to abort")
})

/** A branch of a base that `fill` has filled. */
const branchOf = (fill: (base: string) => Promise<void>) => (body: Body) =>
  withFolder(async (folder) => {
    const base = join(folder, "base")
    await mkdir(base, 0o755)
    await fill(base)
    const options = ["-o", `store=${join(folder, "branches")}`]
    await mounted(`workspace:${base}`, (place) => body({ ...place, byKernel: noHandles }), options)
  })

/** The kernel's own overlayfs over a base that is full, on a tmpfs: it cannot lie on itself. */
const overlayfs = (body: Body) =>
  withFolder(async (folder) => {
    await run("mount", ["-t", "tmpfs", "-o", "mode=755", "tmpfs", folder])
    try {
      const [lower, upper, work, merged] = ["lower", "upper", "work", "merged"].map((name) => join(folder, name))
      if (lower === undefined || merged === undefined) return
      for (const made of [lower, upper, work, merged]) if (made !== undefined) await mkdir(made, 0o755)
      await fillFolders(lower)
      const options = `lowerdir=${lower},upperdir=${upper},workdir=${work},redirect_dir=on,index=on`
      await run("mount", ["-t", "overlay", "-o", options, "overlay", merged])
      try {
        await body(ofKernel(merged))
      } finally {
        await run("umount", ["-l", merged])
      }
    } finally {
      await run("umount", ["-l", folder])
    }
  })

export const places = {
  plain: (body: Body) => withFolder((folder) => body(ofKernel(folder))),
  plainFull: (body: Body) =>
    withFolder(async (folder) => {
      await fillFolders(folder)
      await body(ofKernel(folder))
    }),
  overlayfs,
  workspace: branchOf(() => Promise.resolve()),
  workspaceFull: branchOf(fillFolders),
  memory: (body: Body) => mounted("memory:", body),
  sqlite: (body: Body) => withFolder((folder) => mounted(`sqlite:${join(folder, "store")}`, body)),
  postgres: async (body: Body) => {
    const cluster = await startCluster()
    try {
      await mounted(cluster.newStore(), body)
    } finally {
      cluster.remove()
    }
  },
  passthrough: (body: Body) =>
    withFolder((folder) => mounted(`passthrough:${folder}`, (place) => body({ ...place, byKernel: writesByItself }))),
  passthroughInNode: (body: Body) =>
    withFolder((folder) =>
      mounted(`passthrough:${folder}`, (place) => body({ ...place, byKernel: noHandles }), [
        "-o",
        "no_kernel_passthrough,attr_timeout=0"
      ])
    ),
  memoryOnRings: (body: Body) => mountedOnRings("memory:", body),
  passthroughOnRings: (body: Body) =>
    withFolder((folder) =>
      mountedOnRings(`passthrough:${folder}`, (place) => body({ ...place, byKernel: writesByItself }))
    ),
  passthroughByIsolates: (body: Body) =>
    withFolder((folder) =>
      mountedOnRings(`passthrough:${folder}`, (place) => body({ ...place, byKernel: writesByItself }), startByIsolates)
    ),
  path: (body: Body) =>
    mounted(`module:${join(import.meta.dirname, "..", "path", "served.ts")}`, (place) =>
      body({ ...place, byKernel: noHandles })
    ),
  memfs: face("memfs"),
  memfsWhole: face("memfsWhole"),
  vfs: face("vfs"),
  justBash: face("justBash"),
  nodeFs: faceOfFolder("nodeFs"),
  effect: faceOfFolder("effect"),
  fuseNative: (body: Body) =>
    withFuseNative((folder, release) => body({ folder, fuse: true, release, byKernel: noHandles }))
} as const

export type PlaceName = keyof typeof places

export const isPlaceName = (name: string): name is PlaceName => Object.hasOwn(places, name)
