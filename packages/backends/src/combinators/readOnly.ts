/** A filesystem that cannot be changed. */
import { type Backend, Errno } from "@bickford/session"

const O_ACCMODE = 3
const O_TRUNC = 0o1000

/** `backend`, with EROFS for everything that would change it. Mount it with `readOnly` too, and the kernel says so first. */
export const readOnly = (backend: Backend): Backend => {
  const refuse = () => Errno.EROFS
  const { open } = backend
  return {
    ...backend,
    setattr: refuse,
    symlink: refuse,
    mknod: refuse,
    mkdir: refuse,
    unlink: refuse,
    rmdir: refuse,
    rename: refuse,
    link: refuse,
    write: refuse,
    setxattr: refuse,
    removexattr: refuse,
    create: refuse,
    tmpfile: refuse,
    fallocate: refuse,
    copyFileRange: refuse,
    ...(open === undefined ? {} : {
      open: (request, context) => (request.flags & O_ACCMODE) !== 0 || (request.flags & O_TRUNC) !== 0 ? Errno.EROFS : open.call(backend, request, context)
    })
  }
}
