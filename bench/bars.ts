/** What we ask of ourselves: our share of another contender's throughput in the same run. */
import { dataOperations, metadataOperations } from "./operations.ts"

export interface Bar {
  readonly contender: string
  readonly against: string
  readonly operations: ReadonlyArray<string>
  readonly atLeast: number
  /** What does nothing else: its share of `against` is the most that can be asked for. `null`, if not given. */
  readonly floor?: "null-passthrough"
}

export const bars: ReadonlyArray<Bar> = [
  {
    contender: "bickford-memory",
    against: "libfuse-memory",
    operations: ["create-unlink", ...dataOperations],
    atLeast: 1
  },
  {
    contender: "bickford-memory",
    against: "libfuse-memory",
    operations: ["stat", "lookup-miss", "open-close", "readdir"],
    atLeast: 0.9
  },
  {
    contender: "bickford-memory",
    against: "fuse-native",
    operations: ["stat", "lookup-miss", "open-close", "create-unlink", "read4k", "write4k"],
    atLeast: 2.5
  },
  { contender: "bickford-memory", against: "fuse-native", operations: ["readdir"], atLeast: 1.3 },
  { contender: "bickford-memory", against: "fuse-native", operations: ["seqwrite"], atLeast: 8 },
  {
    contender: "bickford-memory",
    against: "beside",
    operations: [...metadataOperations, ...dataOperations],
    atLeast: 0.9
  },
  { contender: "bickford-passthrough", against: "passthrough_ll", operations: metadataOperations, atLeast: 1 },
  { contender: "bickford-passthrough", against: "bindfs", operations: metadataOperations, atLeast: 1.5 },
  {
    contender: "bickford-passthrough",
    against: "plain",
    operations: ["read4k", "seqread", "seqwrite"],
    atLeast: 0.95,
    floor: "null-passthrough"
  },
  {
    contender: "bickford-passthrough-no-xattr",
    against: "plain",
    operations: ["write4k"],
    atLeast: 0.95,
    floor: "null-passthrough"
  },
  // Half as long again.
  { contender: "bickford-sqlite", against: "bickford-memory", operations: ["stat"], atLeast: 2 / 3 },
  { contender: "libfuse-memory", against: "null", operations: ["stat"], atLeast: 0.55 }
]
