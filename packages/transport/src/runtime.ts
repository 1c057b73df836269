/** Runtimes that take Node's place, and whose Node-API ends the process when a mount waits for its device. */

/** The name and version of the runtime, when it is one that cannot mount. */
const otherRuntime = (): string | undefined => {
  const { bun, deno } = process.versions
  if (bun !== undefined || "Bun" in globalThis) return `Bun ${bun ?? ""}`.trim()
  if (deno !== undefined || "Deno" in globalThis) return `Deno ${deno ?? ""}`.trim()
  return undefined
}

/** Throws, with what to do, unless Node.js runs this program: the addon is not loaded elsewhere. */
export const requireNode = (): void => {
  const runtime = otherRuntime()
  if (runtime === undefined) return
  throw new Error(
    `Bickford needs Node.js 22.19 or later, and this program runs under ${runtime}, which the addon would crash while mounting; run it with node`
  )
}
