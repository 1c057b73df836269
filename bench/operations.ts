/** What programs/load.c can do, and what is counted of it. */

export interface Operation {
  readonly name: string
  readonly unit: "op/s" | "MiB/s"
}

export const operations: ReadonlyArray<Operation> = [
  { name: "stat", unit: "op/s" },
  { name: "lookup-miss", unit: "op/s" },
  { name: "open-close", unit: "op/s" },
  { name: "create-unlink", unit: "op/s" },
  { name: "readdir", unit: "op/s" },
  { name: "read4k", unit: "op/s" },
  { name: "write4k", unit: "op/s" },
  { name: "seqread", unit: "MiB/s" },
  { name: "seqwrite", unit: "MiB/s" },
  { name: "directread", unit: "MiB/s" }
]

/** Names of those that are about files, and of those that are about what is in them. */
export const metadataOperations = ["stat", "lookup-miss", "open-close", "create-unlink", "readdir"]
export const dataOperations = ["read4k", "write4k", "seqread", "seqwrite", "directread"]
