/** Names as Linux bounds them. */
import { isLongerThan, type Name } from "@bickford/protocol"
import { nameMax } from "./linux.ts"

/** True when a name has more than NAME_MAX bytes. */
export const nameTooLong = (name: Name): boolean => isLongerThan(name, nameMax)
