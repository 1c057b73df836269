/*
 * Makes system calls of the addon fail: preloaded into a program that tells it which by the memory that the file
 * BICKFORD_FAULTS is. Calls of anything else than bickford.node go through.
 */
#define _GNU_SOURCE
#include <dlfcn.h>
#include <errno.h>
#include <fcntl.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <sys/mount.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/types.h>
#include <sys/uio.h>
#include <unistd.h>

enum { FAIL = 0, SHORT = 1, NOTHING = 2 };

/* As faults.ts writes it. */
struct rule {
  char call[32];
  int how;
  int error;
  int times; /* left; negative: for ever */
  int met;
  int after; /* calls that still go through first */
};

static struct rule *rule;

__attribute__((constructor)) static void begin(void) {
  const char *name = getenv("BICKFORD_FAULTS");
  int fd = name == NULL ? -1 : open(name, O_RDWR | O_CLOEXEC);
  void *memory = fd < 0 ? MAP_FAILED : mmap(NULL, sizeof(struct rule), PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0);
  if (fd >= 0) close(fd);
  if (memory != MAP_FAILED) rule = memory;
}

/* Whether this call, made at `from`, is to go wrong. */
static int strikes(const char *call, void *from) {
  Dl_info info;
  if (rule == NULL || rule->times == 0 || strcmp(rule->call, call) != 0) return 0;
  if (dladdr(from, &info) == 0 || strstr(info.dli_fname, "bickford.node") == NULL) return 0;
  if (rule->after > 0) {
    rule->after--;
    return 0;
  }
  if (rule->times > 0) rule->times--;
  rule->met++;
  return 1;
}

#define CALLER __builtin_return_address(0)
#define NEXT(name) ((__typeof__(&name))dlsym(RTLD_NEXT, #name))

static ssize_t refuse(void) {
  if (rule->how == NOTHING) return 0;
  errno = rule->error;
  return -1;
}

/* Of a count that is more than one, less; the others fail. */
static size_t shorter(size_t size) { return size / 2; }

#define COUNTED(name, parameters, whole, half) \
  ssize_t name parameters {                    \
    if (!strikes(#name, CALLER)) return whole; \
    if (rule->how == SHORT) return half;       \
    return refuse();                           \
  }

COUNTED(read, (int fd, void *data, size_t size), NEXT(read)(fd, data, size), NEXT(read)(fd, data, shorter(size)))
/* The addon is compiled with offsets of 64 bits: these are the names that it calls by. */
COUNTED(pread64, (int fd, void *data, size_t size, off64_t at), NEXT(pread64)(fd, data, size, at), NEXT(pread64)(fd, data, shorter(size), at))
COUNTED(writev, (int fd, const struct iovec *parts, int count), NEXT(writev)(fd, parts, count),
        NEXT(write)(fd, parts[0].iov_base, shorter(parts[0].iov_len)))
COUNTED(pwritev64v2, (int fd, const struct iovec *parts, int count, off64_t at, int flags), NEXT(pwritev64v2)(fd, parts, count, at, flags),
        NEXT(pwrite)(fd, parts[0].iov_base, shorter(parts[0].iov_len), at))

#define PLAIN(name, parameters, arguments) \
  int name parameters { return strikes(#name, CALLER) ? (int)refuse() : NEXT(name) arguments; }

PLAIN(fsync, (int fd), (fd))
PLAIN(fdatasync, (int fd), (fd))
PLAIN(syncfs, (int fd), (fd))
PLAIN(statx, (int folder, const char *restrict name, int flags, unsigned mask, struct statx *restrict into), (folder, name, flags, mask, into))
PLAIN(pipe2, (int fds[2], int flags), (fds, flags))
PLAIN(socketpair, (int domain, int type, int protocol, int fds[2]), (domain, type, protocol, fds))
PLAIN(mount, (const char *source, const char *target, const char *type, unsigned long flags, const void *data), (source, target, type, flags, data))
PLAIN(umount2, (const char *target, int flags), (target, flags))

/* What the addon calls by number. */
static const char *numbered(long number) {
  switch (number) {
    case SYS_fsopen: return "fsopen";
    case SYS_fsconfig: return "fsconfig";
    case SYS_fsmount: return "fsmount";
    case SYS_move_mount: return "move_mount";
    default: return "";
  }
}

int ioctl(int fd, unsigned long request, ...) {
  va_list list;
  va_start(list, request);
  void *argument = va_arg(list, void *);
  va_end(list);
  return strikes("ioctl", CALLER) ? (int)refuse() : NEXT(ioctl)(fd, request, argument);
}

long syscall(long number, ...) {
  va_list list;
  va_start(list, number);
  long values[6];
  for (int i = 0; i < 6; i++) values[i] = va_arg(list, long);
  va_end(list);
  if (strikes(numbered(number), CALLER)) return refuse();
  return NEXT(syscall)(number, values[0], values[1], values[2], values[3], values[4], values[5]);
}
