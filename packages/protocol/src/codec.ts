/** The protocol's bytes: frames, the rows of the opcodes, and decoders and encoders of both directions. */
export { isDecodeError } from "./decodeError.ts"
export { addDirent, addDirentplus, direntplusSize, direntSize } from "./dirents.ts"
export {
  flagsOfNames,
  initFlagsOfNames,
  type NamedFlags,
  type NamedInitFlags,
  namesOfFlags,
  namesOfInitFlags
} from "./flags.ts"
export { viewsLength } from "./data.ts"
export {
  type Frame,
  frameOf,
  type InHeader,
  lengthOf,
  type Memory,
  memoryOf,
  opcodeOf,
  type OutHeader,
  readInHeader,
  viewOf
} from "./frame.ts"
export {
  type Agreement,
  encodeInitReply,
  hasFlag,
  type InitBackend,
  type InitError,
  type InitFlagName,
  isInitError
} from "./init.ts"
export { negotiate } from "./negotiate.ts"
export { decodeNotification, encodeNotification, notificationTable } from "./notifications.ts"
export { type OpcodeName, type OpcodeRow, opcodeTable, rowOf } from "./opcodes.ts"
export { type EncodeError, isEncodeError, isReplyRefusal, refusalOf, type ReplyRefusal } from "./refusal.ts"
export * as structs from "./generated/structs.ts"
export { getU64 } from "./u64.ts"
export {
  decodeAs,
  decodeReply,
  decodeRequest,
  encodeErrorFrame,
  encodeReply,
  encodeReplyFrame,
  encodeRequest,
  type Reply,
  replyData,
  replyParts
} from "./wire.ts"
