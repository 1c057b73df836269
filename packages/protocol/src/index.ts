/** The protocol as a filesystem's author meets it: messages, numbers, names and errnos. The bytes are in `@bickford/protocol/codec`. */
export { changedNames, type NameIn } from "./changedNames.ts"
export * from "./constants.ts"
export { errnoAliases, errnoName, type ErrnoName, errnoNumbers } from "./errno.ts"
export type { BackendCapabilities, InitOptions, Negotiated } from "./init.ts"
export type * from "./messages.ts"
export { described } from "./described.ts"
export { isLongerThan, nameFromBytes, nameKey, nameLength, nameToBytes, ownName } from "./name.ts"
export { nearest, slipOf } from "./nearest.ts"
export {
  type BackendOperation,
  type EmptyReplyKind,
  type NamespaceOperation,
  type OperationName,
  operationNames,
  operations,
  operationsWhere,
  type OperationTraits,
  type ReplyKind,
  type ReplyKindOf
} from "./operations.ts"
export { printable, printableJson, printableLogLine } from "./printable.ts"
export type { Version } from "./version.ts"
