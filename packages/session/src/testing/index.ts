/** What a filesystem author needs to test without `/dev/fuse`. */
export * as FakeKernel from "./FakeKernel.ts"
export { requestContext } from "./requestContext.ts"
export { brokenInvariants } from "./invariants.ts"
