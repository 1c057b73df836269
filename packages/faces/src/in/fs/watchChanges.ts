/** Following `fs.watch`: what changes by another way is told to the kernel. */
import type { FsLike } from "./FsLike.ts"

const follow = async (
  events: AsyncIterable<{ readonly filename?: unknown }>,
  changed: (path: string) => void
): Promise<void> => {
  for await (const { filename } of events) changed(typeof filename === "string" ? `/${filename}` : "/")
}

/** Tells `changed` of each path below `root`, until `signal` is aborted. A watch that fails is over: the timeouts still hold. */
export const watchChanges = (fs: FsLike, root: string, changed: (path: string) => void, signal: AbortSignal): void => {
  if (fs.watch === undefined) throw new TypeError("fromFs: watch needs a filesystem with `watch`")
  void follow(fs.watch(root, { recursive: true, signal }), changed).catch(() => undefined)
}
