/** What an author needs to test a filesystem without `/dev/fuse`: as promises, and for Effects. */
export * from "@bickford/session/testing"
export { serveForTest, TestCallError, type TestCalls, type TestKernel } from "./promise/testing.ts"
