/** What goes wrong with a fake kernel. */

/** The connection was closed, or a frame of the server's was malformed. */
export interface FakeKernelError {
  readonly _tag: "FakeKernelError"
  readonly message: string
}

/** A fault of the connection or of the server's. */
export const fault = (message: string): FakeKernelError => ({ _tag: "FakeKernelError", message })
