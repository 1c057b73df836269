/** For `bickford mount module:`: the path filesystem that the tests use. */
import { memoryPaths } from "./memoryPaths.ts"

export const backend = () => memoryPaths()
