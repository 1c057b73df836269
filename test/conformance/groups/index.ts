import { chmod } from "./chmod.ts"
import { chown } from "./chown.ts"
import { creation } from "./creation.ts"
import { directories, status } from "./directories.ts"
import { io, privileges } from "./io.ts"
import { link } from "./link.ts"
import { locks } from "./locks.ts"
import { mapping } from "./mapping.ts"
import { open, programs } from "./open.ts"
import { paths } from "./paths.ts"
import { removal } from "./removal.ts"
import { rename, renameat2 } from "./rename.ts"
import { size } from "./size.ts"
import { copies, holes, space } from "./space.ts"
import { times } from "./times.ts"
import { tmpfile } from "./tmpfile.ts"
import { xattr } from "./xattr.ts"

export const groups = [
  paths,
  creation,
  open,
  programs,
  io,
  mapping,
  size,
  space,
  holes,
  copies,
  tmpfile,
  privileges,
  chmod,
  chown,
  times,
  link,
  removal,
  rename,
  renameat2,
  directories,
  status,
  xattr,
  locks
]
