/** The context of a call, for tests that call a backend's operations directly. */
import type { RequestContext } from "../RequestContext.ts"

/** Root's, of the first request on a connection; `parts` replaces what a test needs otherwise. */
export const requestContext = (parts: Partial<RequestContext> = {}): RequestContext => ({
  uid: 0,
  gid: 0,
  pid: 1,
  unique: 2,
  resent: false,
  connectionId: "test",
  umask: 0,
  securityContexts: [],
  groups: () => [],
  isInterrupted: () => false,
  onInterrupt: () => () => {},
  signal: parts.signal ?? new AbortController().signal,
  ...parts
})
