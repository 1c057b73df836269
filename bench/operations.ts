/** What programs/load.c can do, and what is counted of it. */

export interface Operation {
  readonly name: string
  readonly about: "metadata" | "data"
  readonly unit: "op/s" | "MiB/s"
}

export const operations: ReadonlyArray<Operation> = [
  { name: "stat", about: "metadata", unit: "op/s" },
  { name: "lookup-miss", about: "metadata", unit: "op/s" },
  { name: "open-close", about: "metadata", unit: "op/s" },
  { name: "create-unlink", about: "metadata", unit: "op/s" },
  { name: "readdir", about: "metadata", unit: "op/s" },
  { name: "read4k", about: "data", unit: "op/s" },
  { name: "write4k", about: "data", unit: "op/s" },
  { name: "seqread", about: "data", unit: "MiB/s" },
  { name: "seqwrite", about: "data", unit: "MiB/s" },
  { name: "directread", about: "data", unit: "MiB/s" }
]

const namesAbout = (what: Operation["about"]): ReadonlyArray<string> =>
  operations.filter(({ about }) => about === what).map(({ name }) => name)

export const metadataOperations = namesAbout("metadata")
export const dataOperations = namesAbout("data")
