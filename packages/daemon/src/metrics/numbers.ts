/** What is counted of a mount's calls: by each worker since it started, and by the keeper over all of its workers. */
import { errnoNumbers } from "@bickford/protocol"
import { addLatencies, type Latencies } from "./latencies.ts"

/** Of one operation. */
export interface OperationNumbers {
  readonly count: number
  /** Answered with an errno that `isFailure` is true of. */
  readonly errors: number
  /** The time of all answered calls together. */
  readonly microseconds: number
  readonly latencies: Latencies
}

export interface MountNumbers {
  /** Calls whose operations have suspended, now. */
  readonly inFlight: number
  /** Bytes of memory that the worker has resident, now. */
  readonly workerRss: number
  /** Nodes that the kernel holds, without the root, now. */
  readonly nodes: number
  /** Open files and directories, now. */
  readonly handles: number
  /** Files that the kernel reads and writes past the worker, now. */
  readonly passthroughFiles: number
  readonly requests: number
  /** As OperationNumbers has them, of all operations. */
  readonly errors: number
  readonly bytesRead: number
  readonly bytesWritten: number
  /** By the kernel's name of the opcode, as `LOOKUP`. */
  readonly operations: { readonly [opcode: string]: OperationNumbers }
}

export const noNumbers: MountNumbers = {
  inFlight: 0,
  workerRss: 0,
  nodes: 0,
  handles: 0,
  passthroughFiles: 0,
  requests: 0,
  errors: 0,
  bytesRead: 0,
  bytesWritten: 0,
  operations: {}
}

const { ENODATA, ENOENT, ENOSYS } = errnoNumbers

/**
 * Whether an answer tells of something that went wrong. That a name or an attribute is not there, and that an operation
 * is not offered, are answers like others: programs ask in order to know.
 */
export const isFailure = (errno: number): boolean =>
  errno !== 0 && errno !== ENOENT && errno !== ENODATA && errno !== ENOSYS

const addOperations = (one: OperationNumbers | undefined, other: OperationNumbers): OperationNumbers =>
  one === undefined
    ? other
    : {
        count: one.count + other.count,
        errors: one.errors + other.errors,
        microseconds: one.microseconds + other.microseconds,
        latencies: addLatencies(one.latencies, other.latencies)
      }

/** What both have counted; what is now is the latter's. */
export const addNumbers = (former: MountNumbers, latter: MountNumbers): MountNumbers => {
  const operations: { [opcode: string]: OperationNumbers } = { ...former.operations }
  for (const [opcode, one] of Object.entries(latter.operations))
    operations[opcode] = addOperations(operations[opcode], one)
  return {
    inFlight: latter.inFlight,
    workerRss: latter.workerRss,
    nodes: latter.nodes,
    handles: latter.handles,
    passthroughFiles: latter.passthroughFiles,
    requests: former.requests + latter.requests,
    errors: former.errors + latter.errors,
    bytesRead: former.bytesRead + latter.bytesRead,
    bytesWritten: former.bytesWritten + latter.bytesWritten,
    operations
  }
}
