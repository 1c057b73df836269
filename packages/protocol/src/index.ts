/** The protocol as a filesystem's author meets it: messages, numbers, names and errnos. The bytes are in `@bickford/protocol/codec`. */
export * from "./constants.ts"
export { errnoAliases, errnoName, type ErrnoName, errnoNumbers } from "./errno.ts"
export type { BackendCapabilities, InitOptions, Negotiated, Version } from "./init.ts"
export type * from "./messages.ts"
export { isLongerThan, nameFromBytes, nameKey, nameLength, nameToBytes, ownName } from "./name.ts"
export { operationNames } from "./opcodes.ts"
