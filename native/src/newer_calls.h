// System calls that C libraries have no function for which addons are still loaded with: musl has statx since 1.2.4, pwritev2 since 1.2.5.
#pragma once

#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/uio.h>
#include <unistd.h>

#include <cstdint>

inline int call_statx(int folder, const char* name, int flags, unsigned mask, struct statx* into) {
#ifdef __GLIBC__
  return statx(folder, name, flags, mask, into);
#else
  return static_cast<int>(syscall(SYS_statx, folder, name, flags, mask, into));
#endif
}

inline ssize_t call_pwritev2(int file, const struct iovec* parts, int count, int64_t offset, int flags) {
#ifdef __GLIBC__
  return pwritev2(file, parts, count, offset, flags);
#else
  // The kernel takes the offset as two words, of which a machine with 64 bits uses the first.
  return syscall(SYS_pwritev2, file, parts, count, offset, 0L, flags);
#endif
}
