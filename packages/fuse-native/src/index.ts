/** The interface of fuse-native, served by Bickford. `import Fuse from` and `require` give the constructor. */
import { Fuse } from "./Fuse.ts"

export type { Callback, FuseConstructor } from "./Fuse.ts"
export type { Answered, Done, Operations, Stat, Statfs } from "./Operations.ts"
export type { FuseOptions } from "./options.ts"
export { Fuse }
// What `require` gives is the constructor itself, as with fuse-native.
export { Fuse as "module.exports" }
// oxlint-disable-next-line import/no-default-export -- programs that move here write `import Fuse from`
export default Fuse
