/**
 * The command where it was before it had a package of its own: scripts that run a checkout's `packages/daemon/src/main.ts`
 * go on working. Of a checkout only; what is installed has the program `bickford`.
 */
await import(new URL("../../bickford/src/cli/main.ts", import.meta.url).href)
