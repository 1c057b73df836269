/** What goes wrong with a fake kernel. */
import * as Data from "effect/Data"

/** The connection was closed, or a frame of the server's was malformed. */
export class FakeKernelError extends Data.TaggedError("FakeKernelError")<{
  /** What happened. */
  readonly message: string
}> {}

/** A fault of the connection or of the server's. */
export const fault = (message: string): FakeKernelError => new FakeKernelError({ message })
