/*
 * A disk that fails, and one that remembers. To be loaded with LD_PRELOAD into what writes files.
 *
 * DISK_PREFIX  files whose path begins with this are watched; all others are left alone
 * DISK_FAULT   a file; while it is there, a watched call that it names fails. It holds `CALL ERRNO SUFFIX [once]`: CALL
 *              is write, fsync, truncate, unlink or grow, SUFFIX the end of the paths it is for (`.` for all). With `once`
 *              the file is removed when the fault has struck. `grow` is a full disk: what takes more blocks than the file has
 *              fails, be it a write or an fallocate.
 * DISK_RECORD  a file to which each watched call is appended: a write before it is made, an fsync once it has succeeded.
 *              A record is `magic kind offset length path-length` (eight bytes, one, two u64, one u32; host order), the path, the data.
 *              Kinds: w write, t truncate, u unlink, s fsync, also of the directory of the files watched, f an fsync that
 *              was made to fail.
 */
#define _GNU_SOURCE
#include <dlfcn.h>
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/uio.h>
#include <unistd.h>

#define REAL(name) ((__typeof__(&name))dlsym(RTLD_NEXT, #name))

static int watched(const char *path) {
  const char *prefix = getenv("DISK_PREFIX");
  return prefix != NULL && strncmp(path, prefix, strlen(prefix)) == 0;
}

/* The path of a descriptor, when it is watched. */
static const char *path_of(int fd, char *path) {
  char link[64];
  snprintf(link, sizeof link, "/proc/self/fd/%d", fd);
  ssize_t length = readlink(link, path, PATH_MAX - 1);
  if (length < 0) length = 0;
  path[length] = 0;
  return watched(path) ? path : NULL;
}

static int ends_with(const char *text, const char *end) {
  size_t a = strlen(text), b = strlen(end);
  return a >= b && strcmp(text + a - b, end) == 0;
}

/* The errno that this call is to fail with, or 0. */
static int fault(const char *call, const char *path) {
  const char *control = getenv("DISK_FAULT");
  FILE *file = control == NULL ? NULL : fopen(control, "re");
  if (file == NULL) return 0;
  char named[32] = "", suffix[256] = "", times[16] = "";
  int number = 0;
  int fields = fscanf(file, "%31s %d %255s %15s", named, &number, suffix, times);
  fclose(file);
  if (fields < 3 || strcmp(named, call) != 0 || (strcmp(suffix, ".") != 0 && !ends_with(path, suffix))) return 0;
  if (strcmp(times, "once") == 0) REAL(unlink)(control);
  return number;
}

/* Where a record begins: one that was cut off by a SIGKILL has the next one behind its remains. */
#define RECORD_MAGIC {'\xf5', 'd', 'i', 's', 'k', '\xf5', '\r', '\n'}

#pragma pack(push, 1)
struct record {
  char magic[8];
  char kind;
  uint64_t offset, length;
  uint32_t path_length;
};
#pragma pack(pop)

static void record(char kind, const char *path, uint64_t offset, const struct iovec *data, int count) {
  const char *name = getenv("DISK_RECORD");
  if (name == NULL) return;
  int fd = open(name, O_WRONLY | O_APPEND | O_CLOEXEC);
  if (fd < 0) abort();
  struct record head = {RECORD_MAGIC, kind, offset, 0, (uint32_t)strlen(path)};
  struct iovec parts[2 + IOV_MAX / 2];
  if (count > IOV_MAX / 2) abort();
  size_t total = sizeof head + head.path_length;
  for (int i = 0; i < count; i++) head.length += data[i].iov_len;
  total += head.length;
  parts[0] = (struct iovec){&head, sizeof head};
  parts[1] = (struct iovec){(void *)path, head.path_length};
  memcpy(parts + 2, data, sizeof *data * (size_t)count);
  /* One call: what several processes append does not mix. */
  if (REAL(writev)(fd, parts, count + 2) != (ssize_t)total) abort();
  close(fd);
}

/* The errno that a call fails with which needs the blocks of a file up to `end`, on a full disk; or 0. */
static int full(int fd, const char *path, off_t end) {
  struct stat found;
  if (fstat(fd, &found) < 0 || end <= found.st_blocks * 512) return 0;
  return fault("grow", path);
}

/* Before a write: records it. Returns 0, or -1 with errno set when it is to fail. */
static int before_write(int fd, off_t offset, const struct iovec *data, int count) {
  char buffer[PATH_MAX];
  const char *path = path_of(fd, buffer);
  if (path == NULL) return 0;
  int number = fault("write", path);
  off_t end = offset;
  for (int i = 0; i < count; i++) end += (off_t)data[i].iov_len;
  if (number == 0) number = full(fd, path, end);
  if (number != 0) return errno = number, -1;
  record('w', path, (uint64_t)offset, data, count);
  return 0;
}

ssize_t write(int fd, const void *data, size_t size) {
  struct iovec part = {(void *)data, size};
  if (before_write(fd, lseek(fd, 0, SEEK_CUR), &part, 1) < 0) return -1;
  return REAL(write)(fd, data, size);
}

ssize_t pwrite64(int fd, const void *data, size_t size, off64_t offset) {
  struct iovec part = {(void *)data, size};
  if (before_write(fd, offset, &part, 1) < 0) return -1;
  return REAL(pwrite64)(fd, data, size, offset);
}

ssize_t pwrite(int fd, const void *data, size_t size, off_t offset) {
  return pwrite64(fd, data, size, offset);
}

ssize_t pwritev64(int fd, const struct iovec *data, int count, off64_t offset) {
  if (before_write(fd, offset, data, count) < 0) return -1;
  return REAL(pwritev64)(fd, data, count, offset);
}

ssize_t pwritev(int fd, const struct iovec *data, int count, off_t offset) {
  return pwritev64(fd, data, count, offset);
}

/* Whether a path is the directory in which the watched files lie. */
static int holds_watched(const char *path) {
  const char *prefix = getenv("DISK_PREFIX");
  size_t length = strlen(path);
  return prefix != NULL && strncmp(prefix, path, length) == 0 && prefix[length] == '/' && strchr(prefix + length + 1, '/') == NULL;
}

static int synced(int fd, int (*real)(int)) {
  char buffer[PATH_MAX];
  const char *path = path_of(fd, buffer);
  if (path == NULL) {
    int result = real(fd);
    if (result == 0 && holds_watched(buffer)) record('s', buffer, 0, NULL, 0);
    return result;
  }
  int number = fault("fsync", path);
  if (number != 0) {
    record('f', path, 0, NULL, 0);
    return errno = number, -1;
  }
  int result = real(fd);
  if (result == 0) record('s', path, 0, NULL, 0);
  return result;
}

int fsync(int fd) { return synced(fd, REAL(fsync)); }

int fdatasync(int fd) { return synced(fd, REAL(fdatasync)); }

int fallocate64(int fd, int mode, off64_t offset, off64_t size) {
  char buffer[PATH_MAX];
  const char *path = path_of(fd, buffer);
  int number = path == NULL ? 0 : full(fd, path, offset + size);
  if (number != 0) return errno = number, -1;
  return REAL(fallocate64)(fd, mode, offset, size);
}

int ftruncate64(int fd, off64_t size) {
  char buffer[PATH_MAX];
  const char *path = path_of(fd, buffer);
  if (path != NULL) {
    int number = fault("truncate", path);
    if (number != 0) return errno = number, -1;
    record('t', path, (uint64_t)size, NULL, 0);
  }
  return REAL(ftruncate64)(fd, size);
}

int ftruncate(int fd, off_t size) { return ftruncate64(fd, size); }

int unlink(const char *path) {
  if (watched(path)) {
    int number = fault("unlink", path);
    if (number != 0) return errno = number, -1;
    record('u', path, 0, NULL, 0);
  }
  return REAL(unlink)(path);
}
