/** The codec under test, by one name. */
export type { Version } from "../../src/protocol/init.ts"
export type * from "../../src/protocol/messages.ts"
