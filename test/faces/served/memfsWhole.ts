/** For `bickford mount module:`: an empty memfs without its handles, so that files are read and written whole. */
import { fromFs, type FsLike } from "@bickford/faces"
import { Volume } from "memfs"

export const backend = () => {
  const { promises } = Volume.fromJSON({}, "/")
  const whole: FsLike = {
    stat: (path, options) => promises.stat(path, options),
    lstat: (path, options) => promises.lstat(path, options),
    readdir: (path) => promises.readdir(path),
    readFile: (path) => promises.readFile(path),
    writeFile: (path, data, options) => promises.writeFile(path, data, options),
    mkdir: (path, options) => promises.mkdir(path, options),
    rmdir: (path) => promises.rmdir(path),
    unlink: (path) => promises.unlink(path),
    rename: (path, newPath) => promises.rename(path, newPath),
    symlink: (target, path) => promises.symlink(target, path),
    readlink: (path) => promises.readlink(path)
  }
  return fromFs(whole, { maxFileSize: 64 << 20 })
}
