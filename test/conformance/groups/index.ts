import { chmod } from "./chmod.ts"
import { chown } from "./chown.ts"
import { creation } from "./creation.ts"
import { paths } from "./paths.ts"

export const groups = [paths, creation, chmod, chown]
