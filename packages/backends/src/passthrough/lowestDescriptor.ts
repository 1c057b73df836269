import { files } from "@bickford/transport"

/** A descriptor of the same file with the lowest number that is free, or `fd` itself if that is lower. Closes neither. */
export const lowestDescriptor = (fd: number): number => {
  const other = files.fs_duplicate(fd)
  if (other > fd) files.fs_close(other)
  return other < 0 || other > fd ? fd : other
}
