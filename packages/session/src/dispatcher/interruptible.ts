/** Which operations a signal of the caller stops: what the backend says, else what the opcode table says. */
import type { Backend } from "../Backend.ts"
import { type OpcodeRow, opcodeTable } from "@bickford/protocol/codec"

const isListed = (backend: Backend, op: string): boolean | undefined => backend.interruptible?.some((listed) => listed === op)

/** Why a backend's list cannot be; undefined when it can. */
export const wrongInterruptible = (backend: Backend): string | undefined => {
  const fixed = opcodeTable.find((row) => row !== undefined && row.changesNamespace && isListed(backend, row.op) === true)
  return fixed === undefined ? undefined : `${fixed.op} cannot be interruptible: it changes the namespace, and what was done is answered`
}

/** By opcode: whether an INTERRUPT stops the operation. */
export const interruptibleOf = (backend: Backend): ((row: OpcodeRow) => boolean) => {
  const byOpcode = opcodeTable.map((row) => row !== undefined && (isListed(backend, row.op) ?? row.interruptible))
  return (row) => byOpcode[row.opcode] === true
}
