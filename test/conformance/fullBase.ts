/** A base that is full: the folders in which random calls are made have files already, by the names that the calls use. */
import { chmod, link, mkdir, symlink, utimes, writeFile } from "node:fs/promises"
import { join } from "node:path"

/** How many sequences of calls begin in a folder that is full; those that follow begin in an empty one. */
const fullFolders = 300

/** What a folder has: `a` in chunks, `b` by two names, directories, a symlink. Every user may change all of it. */
const fillFolder = async (folder: string): Promise<void> => {
  await mkdir(join(folder, "d/d"), { recursive: true })
  await writeFile(join(folder, "a"), Buffer.alloc(150_000, "base "))
  await writeFile(join(folder, "b"), "small")
  await writeFile(join(folder, "d/a"), Buffer.alloc(70_000, "deep "))
  await link(join(folder, "b"), join(folder, "d/d/b"))
  await symlink("../a", join(folder, "d/b"))
  for (const name of ["", "d", "d/d"]) await chmod(join(folder, name), 0o777)
  for (const name of ["a", "b", "d/a"]) {
    await chmod(join(folder, name), 0o666)
    await utimes(join(folder, name), 1_000_000, 1_000_000)
  }
}

export const fillFolders = async (base: string): Promise<void> => {
  for (let n = 0; n < fullFolders; n++) await fillFolder(join(base, `differential-${n}`))
}
