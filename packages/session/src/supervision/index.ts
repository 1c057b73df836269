/** OTP-style supervision on Effect. Nothing of FUSE in it. */
export { type Backoff, type ChildSpec, type ChildState, type ChildStatus, type Restart, type Strategy, SupervisorError, type SupervisorOptions } from "./spec.ts"
export { make, type Supervisor } from "./supervisor.ts"
