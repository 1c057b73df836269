/*
 * Makes system calls as one user: driver BASE UID GID [GROUP,...]
 *
 * Reads one call for each line of its standard input, tokens between spaces, bytes as %XX. Answers each
 * with one line: "VALUE FIELD=TEXT ..." or the name of an errno. `enter` goes to a directory of BASE; what is opened
 * and mapped there goes when it is left.
 */
#define _GNU_SOURCE
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <grp.h>
#include <inttypes.h>
#include <limits.h>
#include <linux/falloc.h>
#include <poll.h>
#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <sys/mman.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/statvfs.h>
#include <sys/syscall.h>
#include <sys/sysmacros.h>
#include <sys/uio.h>
#include <sys/un.h>
#include <sys/wait.h>
#include <sys/xattr.h>
#include <time.h>
#include <unistd.h>

#ifndef SYS_fchmodat2
#define SYS_fchmodat2 452 /* Linux 6.6, the same on every machine */
#endif

enum { tokensMax = 24, lineMax = 1 << 20, mappingsMax = 16, childrenMax = 16 };

static char *tokens[tokensMax];
static size_t lengths[tokensMax];
static int count;
static char *answer;
static size_t answerSize;
static FILE *out;
static int base;
static struct { char *at; size_t size; off_t offset; int file; } mappings[mappingsMax];
static pid_t children[childrenMax];

static const struct { const char *name; long long value; } names[] = {
#define N(x) { #x, x }
  N(O_RDONLY), N(O_WRONLY), N(O_RDWR), N(O_CREAT), N(O_EXCL), N(O_TRUNC), N(O_APPEND), N(O_NONBLOCK), N(O_DIRECTORY),
  N(O_NOFOLLOW), N(O_TMPFILE), N(O_PATH), N(O_SYNC), N(O_DIRECT), N(O_NOATIME), N(O_CLOEXEC),
  N(F_OK), N(R_OK), N(W_OK), N(X_OK), N(F_RDLCK), N(F_WRLCK), N(F_UNLCK),
  N(LOCK_SH), N(LOCK_EX), N(LOCK_UN), N(LOCK_NB), N(SEEK_SET), N(SEEK_CUR), N(SEEK_END), N(SEEK_DATA), N(SEEK_HOLE),
  N(RENAME_NOREPLACE), N(RENAME_EXCHANGE), N(RENAME_WHITEOUT), N(XATTR_CREATE), N(XATTR_REPLACE),
  N(AT_SYMLINK_NOFOLLOW), N(AT_SYMLINK_FOLLOW), N(AT_EMPTY_PATH), N(AT_REMOVEDIR), N(AT_EACCESS), N(AT_FDCWD),
  N(FALLOC_FL_KEEP_SIZE), N(FALLOC_FL_PUNCH_HOLE), N(FALLOC_FL_ZERO_RANGE), N(FALLOC_FL_COLLAPSE_RANGE),
  N(FALLOC_FL_INSERT_RANGE), N(FALLOC_FL_UNSHARE_RANGE),
  N(S_IFREG), N(S_IFDIR), N(S_IFIFO), N(S_IFBLK), N(S_IFCHR), N(S_IFSOCK), N(S_IFLNK),
  N(PROT_READ), N(PROT_WRITE), N(PROT_EXEC), N(MAP_SHARED), N(MAP_PRIVATE), N(MS_SYNC), N(MS_ASYNC), N(MS_INVALIDATE),
  N(POLLIN), N(POLLOUT), N(POLLERR), N(POLLHUP), N(LONG_MAX), N(SIGUSR1), N(SIGKILL),
#undef N
};

static void refuse(const char *format, ...) {
  va_list arguments;
  va_start(arguments, format);
  vfprintf(stderr, format, arguments);
  va_end(arguments);
  fputc('\n', stderr);
  exit(2);
}

/* The nth argument, the call's name being none; a call that is short of one is the table's mistake. */
static char *text(int n) {
  if (n + 1 >= count) refuse("driver: %s needs %d arguments", tokens[0], n + 1);
  return tokens[n + 1];
}
static bool given(int n) { return n + 1 < count; }

/* A path, or an address that is none. */
static const char *path(int n) {
  char *given = text(n);
  return strcmp(given, "<bad>") == 0 ? (const char *)16 : given;
}

/* A number, or names of numbers joined with "|". */
static long long number(int n) {
  char *rest = text(n);
  long long value = 0;
  for (;;) {
    size_t length = strcspn(rest, "|");
    bool found = false;
    for (size_t i = 0; i < sizeof names / sizeof *names && !found; i++) {
      if (strlen(names[i].name) != length || strncmp(names[i].name, rest, length) != 0) continue;
      value |= names[i].value;
      found = true;
    }
    if (!found) {
      char *end;
      errno = 0;
      value |= strtoll(rest, &end, 0);
      if (end == rest || end != rest + length || errno != 0) refuse("driver: %s: no number: %s", tokens[0], rest);
    }
    if (rest[length] == 0) return value;
    rest += length + 1;
  }
}
static long long numberOr(int n, long long fallback) { return given(n) ? number(n) : fallback; }
static int fd(int n) { return (int)number(n); }
/* A user or group; -1 keeps it. */
static unsigned owner(int n) { return (unsigned)number(n); }

static void field(const char *format, ...) {
  va_list arguments;
  va_start(arguments, format);
  fputc(' ', out);
  vfprintf(out, format, arguments);
  va_end(arguments);
}

static void bytesField(const char *name, const char *bytes, size_t size) {
  fprintf(out, " %s=", name);
  for (size_t i = 0; i < size; i++) {
    unsigned char c = (unsigned char)bytes[i];
    if (c > ' ' && c < 127 && c != '%') fputc(c, out);
    else fprintf(out, "%%%02x", c);
  }
}

static void *allocate(size_t size) {
  void *memory = malloc(size + 1);
  if (memory == NULL) refuse("driver: no memory");
  return memory;
}

/* -- Times: SEC.NSEC, NOW or OMIT -- */

static struct timespec moment(int n) {
  const char *given = text(n);
  struct timespec time = { 0, 0 };
  if (strcmp(given, "NOW") == 0) time.tv_nsec = UTIME_NOW;
  else if (strcmp(given, "OMIT") == 0) time.tv_nsec = UTIME_OMIT;
  else {
    char *end;
    time.tv_sec = strtoll(given, &end, 10);
    if (*end == '.') time.tv_nsec = strtol(end + 1, &end, 10);
    if (*end != 0) refuse("driver: no time: %s", given);
  }
  return time;
}

static void timeField(const char *name, long long sec, long nsec) { field("%s=%lld.%09ld", name, sec, nsec); }

/* -- Calls; each gives a value, or -1 with errno -- */

static const char *typeName(mode_t mode) {
  switch (mode & S_IFMT) {
    case S_IFREG: return "regular";
    case S_IFDIR: return "dir";
    case S_IFIFO: return "fifo";
    case S_IFBLK: return "block";
    case S_IFCHR: return "char";
    case S_IFSOCK: return "socket";
    case S_IFLNK: return "symlink";
    default: return "unknown";
  }
}

static long long statFields(int result, const struct stat *st) {
  if (result != 0) return result;
  field("type=%s mode=0%o nlink=%ju uid=%u gid=%u size=%jd blocks=%jd ino=%ju dev=%ju blksize=%jd", typeName(st->st_mode),
    st->st_mode & 07777, (uintmax_t)st->st_nlink, st->st_uid, st->st_gid, (intmax_t)st->st_size, (intmax_t)st->st_blocks,
    (uintmax_t)st->st_ino, (uintmax_t)st->st_dev, (intmax_t)st->st_blksize);
  field("major=%u minor=%u", major(st->st_rdev), minor(st->st_rdev));
  timeField("atime", st->st_atim.tv_sec, st->st_atim.tv_nsec);
  timeField("mtime", st->st_mtim.tv_sec, st->st_mtim.tv_nsec);
  timeField("ctime", st->st_ctim.tv_sec, st->st_ctim.tv_nsec);
  return 0;
}

static long long callStat(void) { struct stat st; return statFields(stat(path(0), &st), &st); }
static long long callLstat(void) { struct stat st; return statFields(lstat(path(0), &st), &st); }
static long long callFstat(void) { struct stat st; return statFields(fstat(fd(0), &st), &st); }
static long long callStatx(void) {
  struct statx stx;
  if (statx(AT_FDCWD, path(0), AT_SYMLINK_NOFOLLOW | (int)numberOr(1, 0), STATX_BASIC_STATS | STATX_BTIME, &stx) != 0) return -1;
  field("mask=0x%x mode=0%o nlink=%u size=%ju ino=%ju", stx.stx_mask & 0xfff, stx.stx_mode & 07777, stx.stx_nlink, (uintmax_t)stx.stx_size, (uintmax_t)stx.stx_ino);
  timeField("btime", stx.stx_btime.tv_sec, stx.stx_btime.tv_nsec);
  timeField("ctime", stx.stx_ctime.tv_sec, stx.stx_ctime.tv_nsec);
  return 0;
}
static long long callStatvfs(void) {
  struct statvfs fs;
  if (statvfs(path(0), &fs) != 0) return -1;
  field("bsize=%ju frsize=%ju blocks=%ju bfree=%ju bavail=%ju files=%ju ffree=%ju namemax=%ju", (uintmax_t)fs.f_bsize, (uintmax_t)fs.f_frsize,
    (uintmax_t)fs.f_blocks, (uintmax_t)fs.f_bfree, (uintmax_t)fs.f_bavail, (uintmax_t)fs.f_files, (uintmax_t)fs.f_ffree, (uintmax_t)fs.f_namemax);
  return 0;
}

static long long callOpen(void) { return open(path(0), (int)number(1), (mode_t)numberOr(2, 0)); }
static long long callOpenat(void) { return openat(fd(0), path(1), (int)number(2), (mode_t)numberOr(3, 0)); }
static long long callClose(void) { return close(fd(0)); }
static long long callDup(void) { return dup(fd(0)); }
static long long callSetfl(void) { return fcntl(fd(0), F_SETFL, (int)number(1)); }
static long long callLseek(void) { return lseek(fd(0), number(1), (int)number(2)); }
static long long callTruncate(void) { return truncate(path(0), number(1)); }
static long long callFtruncate(void) { return ftruncate(fd(0), number(1)); }
static long long callFsync(void) { return fsync(fd(0)); }
static long long callFdatasync(void) { return fdatasync(fd(0)); }

/* write FD TEXT [OFFSET] */
static long long callWrite(void) {
  return given(2) ? pwrite(fd(0), path(1), lengths[2], number(2)) : write(fd(0), path(1), lengths[2]);
}
/* fill FD SIZE BYTE [OFFSET]: as write, of one byte many times. */
static long long callFill(void) {
  size_t size = (size_t)number(1);
  char *bytes = allocate(size);
  memset(bytes, (int)number(2), size);
  ssize_t written = given(3) ? pwrite(fd(0), bytes, size, number(3)) : write(fd(0), bytes, size);
  int failure = errno;
  free(bytes);
  errno = failure;
  return written;
}
static long long callWritev(void) {
  struct iovec parts[] = { { text(1), lengths[2] }, { text(2), lengths[3] } };
  return writev(fd(0), parts, 2);
}

static uint32_t hash(const char *bytes, size_t size) {
  uint32_t h = 2166136261u;
  for (size_t i = 0; i < size; i++) h = (h ^ (unsigned char)bytes[i]) * 16777619u;
  return h;
}
static long long readInto(int from, size_t size, const off_t *offset, bool whole) {
  char *bytes = allocate(size);
  ssize_t got = offset != NULL ? pread(from, bytes, size, *offset) : read(from, bytes, size);
  int failure = errno;
  if (got >= 0) {
    if (whole && got <= 512) bytesField("data", bytes, (size_t)got);
    else field("hash=%08x", hash(bytes, (size_t)got));
    size_t zeros = 0;
    while (zeros < (size_t)got && bytes[zeros] == 0) zeros++;
    field("zeros=%d", zeros == (size_t)got);
  }
  free(bytes);
  errno = failure;
  return got;
}
/* read FD SIZE [OFFSET]; sum likewise, which tells a hash in place of the bytes, as both do of many. */
static long long reading(bool whole) {
  off_t offset = given(2) ? number(2) : 0;
  return readInto(fd(0), (size_t)number(1), given(2) ? &offset : NULL, whole);
}
static long long callRead(void) { return reading(true); }
static long long callSum(void) { return reading(false); }

/* put PATH TEXT: makes or replaces a file. get PATH: what is in it. */
static long long callPut(void) {
  int file = open(path(0), O_WRONLY | O_CREAT | O_TRUNC | O_NONBLOCK, 0644);
  if (file < 0) return -1;
  ssize_t written = write(file, text(1), lengths[2]);
  int failure = errno;
  close(file);
  errno = failure;
  return written;
}
static long long callGet(void) {
  int file = open(path(0), O_RDONLY | O_NONBLOCK);
  if (file < 0) return -1;
  long long got = readInto(file, 65536, NULL, true);
  int failure = errno;
  close(file);
  errno = failure;
  return got;
}

static long long callMkdir(void) { return mkdir(path(0), (mode_t)numberOr(1, 0755)); }
static long long callMkdirat(void) { return mkdirat(fd(0), path(1), (mode_t)numberOr(2, 0755)); }
static long long callRmdir(void) { return rmdir(path(0)); }
static long long callUnlink(void) { return unlink(path(0)); }
static long long callUnlinkat(void) { return unlinkat(fd(0), path(1), (int)numberOr(2, 0)); }
static long long callSymlink(void) { return symlink(path(0), path(1)); }
static long long callReadlink(void) {
  char target[PATH_MAX];
  ssize_t size = readlink(path(0), target, (size_t)numberOr(1, sizeof target));
  if (size >= 0) bytesField("target", target, (size_t)size);
  return size;
}
static long long callLink(void) { return link(path(0), path(1)); }
static long long callLinkat(void) { return linkat(fd(0), path(1), fd(2), path(3), (int)numberOr(4, 0)); }
/* linkfd FD PATH: as open(2) has it for O_TMPFILE. */
static long long callLinkfd(void) {
  char source[64];
  snprintf(source, sizeof source, "/proc/self/fd/%d", fd(0));
  return linkat(AT_FDCWD, source, AT_FDCWD, path(1), AT_SYMLINK_FOLLOW);
}
static long long callRename(void) { return rename(path(0), path(1)); }
static long long callRenameat2(void) { return renameat2(AT_FDCWD, path(0), AT_FDCWD, path(1), (unsigned)number(2)); }
static long long callMkfifo(void) { return mkfifo(path(0), (mode_t)numberOr(1, 0644)); }
/* mknod PATH TYPE MODE [MAJOR MINOR] */
static long long callMknod(void) {
  return mknod(path(0), (mode_t)number(1) | (mode_t)number(2), makedev((unsigned)numberOr(3, 0), (unsigned)numberOr(4, 0)));
}
static long long callBind(void) {
  struct sockaddr_un address = { .sun_family = AF_UNIX };
  snprintf(address.sun_path, sizeof address.sun_path, "%s", text(0));
  int at = socket(AF_UNIX, SOCK_STREAM, 0);
  if (at < 0) return -1;
  if (bind(at, (struct sockaddr *)&address, sizeof address) == 0 && listen(at, 1) == 0) return at;
  int failure = errno;
  close(at);
  errno = failure;
  return -1;
}
static long long callConnect(void) {
  struct sockaddr_un address = { .sun_family = AF_UNIX };
  snprintf(address.sun_path, sizeof address.sun_path, "%s", text(0));
  int at = socket(AF_UNIX, SOCK_STREAM, 0);
  if (at < 0) return -1;
  int result = connect(at, (struct sockaddr *)&address, sizeof address);
  int failure = errno;
  close(at);
  errno = failure;
  return result;
}
/* make TYPE PATH [MODE]: any file, its mode whatever the umask. */
static long long callMake(void) {
  const char *type = text(0);
  mode_t mode = (mode_t)numberOr(2, 0644);
  mode_t mask = umask(0);
  int result = -1;
  if (strcmp(type, "regular") == 0) {
    result = open(path(1), O_CREAT | O_EXCL | O_WRONLY, mode);
    if (result >= 0) result = close(result);
  } else if (strcmp(type, "dir") == 0) result = mkdir(path(1), mode);
  else if (strcmp(type, "fifo") == 0) result = mkfifo(path(1), mode);
  else if (strcmp(type, "block") == 0) result = mknod(path(1), S_IFBLK | mode, makedev(1, 2));
  else if (strcmp(type, "char") == 0) result = mknod(path(1), S_IFCHR | mode, makedev(1, 3));
  else if (strcmp(type, "socket") == 0) result = mknod(path(1), S_IFSOCK | mode, 0);
  else if (strcmp(type, "symlink") == 0) result = symlink("nowhere", path(1));
  else refuse("driver: no type: %s", type);
  int failure = errno;
  umask(mask);
  errno = failure;
  return result;
}

static long long callChmod(void) { return chmod(path(0), (mode_t)number(1)); }
static long long callFchmod(void) { return fchmod(fd(0), (mode_t)number(1)); }
static long long callLchmod(void) { return syscall(SYS_fchmodat2, AT_FDCWD, path(0), (mode_t)number(1), AT_SYMLINK_NOFOLLOW); }
static long long callChown(void) { return chown(path(0), owner(1), owner(2)); }
static long long callLchown(void) { return lchown(path(0), owner(1), owner(2)); }
static long long callFchown(void) { return fchown(fd(0), owner(1), owner(2)); }
static long long callUtimens(void) {
  struct timespec times[] = { moment(1), moment(2) };
  return utimensat(AT_FDCWD, path(0), times, (int)numberOr(3, 0));
}
static long long callFutimens(void) {
  struct timespec times[] = { moment(1), moment(2) };
  return futimens(fd(0), times);
}
/* Both times now, by a null pointer. */
static long long callTouch(void) { return utimensat(AT_FDCWD, path(0), NULL, 0); }
static long long callAccess(void) { return faccessat(AT_FDCWD, path(0), (int)number(1), (int)numberOr(2, 0)); }
static long long callUmask(void) { return umask((mode_t)number(0)); }
static long long callChdir(void) { return chdir(path(0)); }
static long long callGetcwd(void) {
  char at[PATH_MAX];
  if (getcwd(at, sizeof at) == NULL) return -1;
  bytesField("path", at, strlen(at));
  return 0;
}

/* fallocate FD MODE OFFSET LENGTH */
static long long callFallocate(void) { return fallocate(fd(0), (int)number(1), number(2), number(3)); }
static long long callPosixFallocate(void) {
  errno = posix_fallocate(fd(0), number(1), number(2));
  return errno == 0 ? 0 : -1;
}
/* copy FD OFFSET FD OFFSET LENGTH */
static long long callCopy(void) {
  off_t from = number(1);
  off_t to = number(3);
  return copy_file_range(fd(0), &from, fd(2), &to, (size_t)number(4), 0);
}

static long long callSetxattr(void) { return setxattr(path(0), text(1), text(2), lengths[3], (int)numberOr(3, 0)); }
static long long callLsetxattr(void) { return lsetxattr(path(0), text(1), text(2), lengths[3], (int)numberOr(3, 0)); }
static long long callFsetxattr(void) { return fsetxattr(fd(0), text(1), text(2), lengths[3], (int)numberOr(3, 0)); }
/* fillxattr PATH NAME SIZE */
static long long callFillxattr(void) {
  size_t size = (size_t)number(2);
  char *bytes = allocate(size);
  memset(bytes, 'v', size);
  int result = setxattr(path(0), text(1), bytes, size, 0);
  int failure = errno;
  free(bytes);
  errno = failure;
  return result;
}
static long long xattrValue(const char *name, const char *bytes, size_t size, ssize_t got) {
  if (got >= 0 && size > 0 && got <= 4096) bytesField(name, bytes, (size_t)got);
  return got;
}
static char xattrBytes[1 << 17];
static long long callGetxattr(void) {
  size_t size = (size_t)numberOr(2, sizeof xattrBytes);
  return xattrValue("text", xattrBytes, size, getxattr(path(0), text(1), size == 0 ? NULL : xattrBytes, size));
}
static long long callLgetxattr(void) {
  size_t size = (size_t)numberOr(2, sizeof xattrBytes);
  return xattrValue("text", xattrBytes, size, lgetxattr(path(0), text(1), size == 0 ? NULL : xattrBytes, size));
}
static int compareNames(const void *a, const void *b) { return strcmp(*(char *const *)a, *(char *const *)b); }
/* The names in order, with a comma between two. */
static long long callListxattr(void) {
  size_t size = (size_t)numberOr(1, sizeof xattrBytes);
  ssize_t got = listxattr(path(0), size == 0 ? NULL : xattrBytes, size);
  if (got < 0 || size == 0) return got;
  char *each[1024];
  size_t found = 0;
  for (char *at = xattrBytes; at < xattrBytes + got && found < 1024; at += strlen(at) + 1) each[found++] = at;
  qsort(each, found, sizeof *each, compareNames);
  fputs(" names=", out);
  for (size_t i = 0; i < found; i++) fprintf(out, "%s%s", i == 0 ? "" : ",", each[i]);
  return got;
}
static long long callRemovexattr(void) { return removexattr(path(0), text(1)); }
static long long callLremovexattr(void) { return lremovexattr(path(0), text(1)); }

/* setlk FD TYPE START LENGTH; setlkw waits; ofd and ofdw likewise for open file descriptions. */
static long long locking(int command) {
  struct flock lock = { .l_type = (short)number(1), .l_whence = SEEK_SET, .l_start = number(2), .l_len = number(3) };
  int result = fcntl(fd(0), command, &lock);
  if (result == 0 && (command == F_GETLK || command == F_OFD_GETLK)) {
    field("type=%s start=%jd length=%jd pid=%d", lock.l_type == F_UNLCK ? "unlocked" : lock.l_type == F_RDLCK ? "read" : "write",
      (intmax_t)lock.l_start, (intmax_t)lock.l_len, (int)lock.l_pid);
  }
  return result;
}
static long long callSetlk(void) { return locking(F_SETLK); }
static long long callSetlkw(void) { return locking(F_SETLKW); }
static long long callGetlk(void) { return locking(F_GETLK); }
static long long callOfdSetlk(void) { return locking(F_OFD_SETLK); }
static long long callOfdSetlkw(void) { return locking(F_OFD_SETLKW); }
static long long callOfdGetlk(void) { return locking(F_OFD_GETLK); }
static long long callFlock(void) { return flock(fd(0), (int)number(1)); }
static long long callPoll(void) {
  struct pollfd one = { .fd = fd(0), .events = (short)number(1) };
  int ready = poll(&one, 1, 0);
  if (ready >= 0) field("revents=%d", one.revents);
  return ready;
}

/* mmap FD OFFSET SIZE PROTECTION FLAGS: gives the mapping's number. */
static long long callMmap(void) {
  size_t size = (size_t)number(2);
  void *at = mmap(NULL, size, (int)number(3), (int)number(4), fd(0), number(1));
  if (at == MAP_FAILED) return -1;
  for (int i = 0; i < mappingsMax; i++) {
    if (mappings[i].at != NULL) continue;
    mappings[i].at = at;
    mappings[i].size = size;
    mappings[i].offset = number(1);
    char source[64];
    snprintf(source, sizeof source, "/proc/self/fd/%d", fd(0));
    /* Closing a descriptor of this kind drops no locks; its number is out of the way. */
    int file = open(source, O_PATH | O_CLOEXEC);
    mappings[i].file = fcntl(file, F_DUPFD_CLOEXEC, 500);
    close(file);
    return i;
  }
  munmap(at, size);
  errno = EMFILE;
  return -1;
}
/* Where an access through a mapping goes on when there is no page, or no permission. */
static sigjmp_buf beyond;
static volatile sig_atomic_t touching;
static void onFault(int number) {
  if (touching) siglongjmp(beyond, 1);
  signal(number, SIG_DFL);
}
/* Copies to or from a mapping. */
static long long touch(char *to, const char *from, size_t size) {
  if (sigsetjmp(beyond, 1) == 0) {
    touching = 1;
    memcpy(to, from, size);
    touching = 0;
    return (long long)size;
  }
  touching = 0;
  errno = EFAULT;
  return -1;
}

/* What lies in a mapping, or NULL with errno. */
static char *mapped(int n, int offset, size_t size) {
  long long which = number(n);
  size_t from = (size_t)number(offset);
  if (which >= 0 && which < mappingsMax && mappings[which].at != NULL && from + size <= mappings[which].size) return mappings[which].at + from;
  errno = EINVAL;
  return NULL;
}
/* mread MAPPING OFFSET SIZE, mwrite MAPPING OFFSET TEXT: EFAULT where the file has ended, or it is not allowed. */
static long long callMread(void) {
  size_t size = (size_t)number(2);
  char *at = mapped(0, 1, size);
  if (at == NULL) return -1;
  static char bytes[1 << 16];
  if (size > sizeof bytes) size = sizeof bytes;
  long long result = touch(bytes, at, size);
  if (result >= 0) bytesField("data", bytes, size);
  return result;
}
static long long callMwrite(void) {
  char *at = mapped(0, 1, lengths[3]);
  return at == NULL ? -1 : touch(at, text(2), lengths[3]);
}
/* mput: as mwrite, within the file only. */
static long long callMput(void) {
  char *at = mapped(0, 1, lengths[3]);
  if (at == NULL) return -1;
  struct stat st;
  int which = (int)number(0);
  if (fstat(mappings[which].file, &st) != 0) return -1;
  if (mappings[which].offset + number(1) + (off_t)lengths[3] <= st.st_size) return touch(at, text(2), lengths[3]);
  errno = EFAULT;
  return -1;
}
static int known(int n) {
  long long which = number(n);
  if (which >= 0 && which < mappingsMax && mappings[which].at != NULL) return (int)which;
  errno = EINVAL;
  return -1;
}
static long long callMsync(void) {
  int which = known(0);
  return which < 0 ? -1 : msync(mappings[which].at, mappings[which].size, (int)number(1));
}
static long long callMunmap(void) {
  int which = known(0);
  if (which < 0) return -1;
  int result = munmap(mappings[which].at, mappings[which].size);
  mappings[which].at = NULL;
  close(mappings[which].file);
  return result;
}

/* readdir PATH: the names in order but . and .., with a comma between two. */
static long long callReaddir(void) {
  DIR *directory = opendir(text(0));
  if (directory == NULL) return -1;
  static char *each[1 << 16];
  long long found = 0;
  int dots = 0;
  errno = 0;
  for (struct dirent *entry; (entry = readdir(directory)) != NULL;) {
    if (strcmp(entry->d_name, ".") == 0 || strcmp(entry->d_name, "..") == 0) dots++;
    else if (found < 1 << 16) each[found++] = strdup(entry->d_name);
  }
  int failure = errno;
  closedir(directory);
  qsort(each, (size_t)found, sizeof *each, compareNames);
  fputs(" names=", out);
  for (long long i = 0; i < found; i++) {
    if (i < 4096) fprintf(out, "%s%s", i == 0 ? "" : ",", each[i]);
    free(each[i]);
  }
  field("dots=%d", dots);
  errno = failure;
  return failure == 0 ? found : -1;
}
struct listed { uint64_t ino; int64_t off; unsigned short length; unsigned char type; char name[]; };
/* getdents FD SIZE: as the kernel gives them. */
static long long callGetdents(void) {
  size_t size = (size_t)number(1);
  char *bytes = allocate(size);
  long got = syscall(SYS_getdents64, fd(0), bytes, size);
  int failure = errno;
  long long found = 0;
  if (got > 0) {
    fputs(" names=", out);
    struct listed *each = NULL;
    for (char *at = bytes; at < bytes + got; at += each->length) {
      each = (struct listed *)(void *)at;
      fprintf(out, "%s%s", found++ == 0 ? "" : ",", each->name);
    }
    field("off=%" PRId64 " type=%s ino=%" PRIu64, each->off, typeName((mode_t)each->type << 12), each->ino);
  }
  free(bytes);
  errno = failure;
  return got < 0 ? -1 : found;
}

/* -- Programs: run PATH waits for its end, spawn PATH does not -- */

static long long start(const char *program, bool wait) {
  int report[2];
  if (pipe2(report, O_CLOEXEC) != 0) return -1;
  pid_t child = fork();
  if (child < 0) return -1;
  if (child == 0) {
    char *arguments[] = { (char *)(uintptr_t)program, (char *)(uintptr_t)(wait ? "--end" : "--sleep"), NULL };
    execv(program, arguments);
    int failure = errno;
    ssize_t told = write(report[1], &failure, sizeof failure);
    _exit(told < 0 ? 127 : 126);
  }
  close(report[1]);
  int failure = 0;
  bool failed = read(report[0], &failure, sizeof failure) > 0;
  close(report[0]);
  int status = 0;
  if (failed || wait) {
    while (waitpid(child, &status, 0) < 0 && errno == EINTR) continue;
  }
  if (failed) {
    errno = failure;
    return -1;
  }
  if (wait) return WEXITSTATUS(status);
  for (int i = 0; i < childrenMax; i++) {
    if (children[i] == 0) {
      children[i] = child;
      return i;
    }
  }
  refuse("driver: too many children");
  return -1;
}
static long long callRun(void) { return start(path(0), true); }
static long long callSpawn(void) { return start(path(0), false); }
static void stop(int which) {
  if (children[which] == 0) return;
  kill(children[which], SIGKILL);
  while (waitpid(children[which], NULL, 0) < 0 && errno == EINTR) continue;
  children[which] = 0;
}
static long long callStop(void) { stop((int)number(0)); return 0; }
/* program PATH MODE: a copy of this program. */
static long long callProgram(void) {
  int from = open("/proc/self/exe", O_RDONLY);
  int to = open(path(0), O_WRONLY | O_CREAT | O_TRUNC, 0755);
  char *bytes = allocate(1 << 16);
  ssize_t got = -1;
  if (from >= 0 && to >= 0) {
    while ((got = read(from, bytes, 1 << 16)) > 0) {
      if (write(to, bytes, (size_t)got) != got) { got = -1; break; }
    }
  }
  free(bytes);
  if (from >= 0) close(from);
  if (to >= 0) close(to);
  return got < 0 ? -1 : chmod(path(0), (mode_t)numberOr(1, 0755));
}

/* handle PATH opens it by its file handle, with the root's powers. */
static long long callHandle(void) {
  char space[sizeof(struct file_handle) + MAX_HANDLE_SZ];
  struct file_handle *handle = (struct file_handle *)(void *)space;
  handle->handle_bytes = MAX_HANDLE_SZ;
  int mount;
  return name_to_handle_at(AT_FDCWD, path(0), handle, &mount, 0) != 0 ? -1 : open_by_handle_at(AT_FDCWD, handle, O_RDONLY);
}

/* -- Time -- */

static long long now(void) {
  struct timespec time;
  clock_gettime(CLOCK_REALTIME_COARSE, &time);
  return time.tv_sec * 1000000000LL + time.tv_nsec;
}
/* Waits until files that change have another time than files that have changed. */
static long long callTick(void) {
  long long began = now();
  struct timespec pause = { 0, 500000 };
  while (now() - began < 5000000) nanosleep(&pause, NULL);
  return 0;
}
static long long callClock(void) {
  struct timespec time;
  clock_gettime(CLOCK_REALTIME, &time);
  timeField("time", time.tv_sec, time.tv_nsec);
  return 0;
}

/* -- Places -- */

static void leave(void) {
  for (int i = 0; i < mappingsMax; i++) {
    if (mappings[i].at != NULL) munmap(mappings[i].at, mappings[i].size);
    mappings[i].at = NULL;
  }
  for (int i = 0; i < childrenMax; i++) stop(i);
  close_range((unsigned)base + 1, ~0u, 0);
  umask(022);
}
/* enter NAME: to a directory of the base, with everything closed. */
static long long callEnter(void) {
  leave();
  return fchdir(base) != 0 ? -1 : chdir(path(0));
}
static long long callLeave(void) {
  leave();
  return fchdir(base);
}

static const struct { const char *name; long long (*make)(void); } calls[] = {
  { "stat", callStat }, { "lstat", callLstat }, { "fstat", callFstat }, { "statx", callStatx }, { "statvfs", callStatvfs },
  { "open", callOpen }, { "openat", callOpenat }, { "close", callClose }, { "dup", callDup }, { "setfl", callSetfl },
  { "lseek", callLseek }, { "truncate", callTruncate }, { "ftruncate", callFtruncate }, { "fsync", callFsync },
  { "fdatasync", callFdatasync }, { "write", callWrite }, { "writev", callWritev }, { "fill", callFill }, { "read", callRead },
  { "sum", callSum }, { "put", callPut }, { "get", callGet }, { "mkdir", callMkdir }, { "mkdirat", callMkdirat },
  { "rmdir", callRmdir }, { "unlink", callUnlink }, { "unlinkat", callUnlinkat }, { "symlink", callSymlink },
  { "readlink", callReadlink }, { "link", callLink }, { "linkat", callLinkat }, { "linkfd", callLinkfd },
  { "rename", callRename }, { "renameat2", callRenameat2 }, { "mkfifo", callMkfifo }, { "mknod", callMknod },
  { "bind", callBind }, { "connect", callConnect }, { "make", callMake }, { "chmod", callChmod }, { "fchmod", callFchmod },
  { "lchmod", callLchmod }, { "chown", callChown }, { "lchown", callLchown }, { "fchown", callFchown },
  { "utimens", callUtimens }, { "futimens", callFutimens }, { "touch", callTouch }, { "access", callAccess },
  { "umask", callUmask }, { "chdir", callChdir }, { "getcwd", callGetcwd }, { "fallocate", callFallocate },
  { "posix_fallocate", callPosixFallocate }, { "copy", callCopy }, { "setxattr", callSetxattr }, { "lsetxattr", callLsetxattr },
  { "fsetxattr", callFsetxattr }, { "fillxattr", callFillxattr }, { "getxattr", callGetxattr }, { "lgetxattr", callLgetxattr },
  { "listxattr", callListxattr }, { "removexattr", callRemovexattr }, { "lremovexattr", callLremovexattr },
  { "setlk", callSetlk }, { "setlkw", callSetlkw }, { "getlk", callGetlk }, { "ofd_setlk", callOfdSetlk },
  { "ofd_setlkw", callOfdSetlkw }, { "ofd_getlk", callOfdGetlk }, { "flock", callFlock }, { "poll", callPoll },
  { "mmap", callMmap }, { "mread", callMread }, { "mwrite", callMwrite }, { "mput", callMput }, { "msync", callMsync }, { "munmap", callMunmap },
   { "readdir", callReaddir }, { "getdents", callGetdents }, { "run", callRun },
  { "spawn", callSpawn }, { "stop", callStop }, { "program", callProgram }, { "handle", callHandle }, { "tick", callTick },
  { "clock", callClock }, { "enter", callEnter }, { "leave", callLeave },
};

static int hex(char c) { return c >= '0' && c <= '9' ? c - '0' : c >= 'a' && c <= 'f' ? c - 'a' + 10 : -1; }

/* Splits a line in place. A percent sign with no digits after it stands for nothing: an empty token. */
static void split(char *line) {
  count = 0;
  for (char *at = line; *at != 0;) {
    if (count == tokensMax) refuse("driver: too many arguments");
    char *to = at;
    tokens[count] = at;
    while (*at != 0 && *at != ' ') {
      if (*at != '%') *to++ = *at++;
      else if (hex(at[1]) >= 0 && hex(at[2]) >= 0) {
        *to++ = (char)(hex(at[1]) * 16 + hex(at[2]));
        at += 3;
      } else at++;
    }
    bool more = *at == ' ';
    *to = 0;
    lengths[count] = (size_t)(to - tokens[count]);
    count++;
    if (more) at++;
  }
}

static void become(char **arguments, int given) {
  gid_t groups[32];
  size_t members = 0;
  if (given > 4) {
    for (char *each = strtok(arguments[4], ","); each != NULL && members < 32; each = strtok(NULL, ",")) groups[members++] = (gid_t)atoi(each);
  }
  gid_t gid = (gid_t)atoi(arguments[3]);
  uid_t uid = (uid_t)atoi(arguments[2]);
  if (geteuid() != 0) return;
  if (setgroups(members, groups) != 0 || setresgid(gid, gid, gid) != 0 || setresuid(uid, uid, uid) != 0) refuse("driver: cannot become %u", uid);
}

static void onSignal(int signal) { (void)signal; }

int main(int argumentCount, char **arguments) {
  if (argumentCount == 2 && strcmp(arguments[1], "--end") == 0) return 0;
  if (argumentCount == 2 && strcmp(arguments[1], "--sleep") == 0) {
    pause();
    return 0;
  }
  if (argumentCount < 4) refuse("driver: BASE UID GID [GROUP,...]");
  base = open(arguments[1], O_RDONLY | O_DIRECTORY | O_CLOEXEC);
  if (base < 0) refuse("driver: %s", strerrorname_np(errno));
  become(arguments, argumentCount);
  struct sigaction interrupted = { .sa_handler = onSignal };
  sigaction(SIGUSR1, &interrupted, NULL);
  signal(SIGBUS, onFault);
  signal(SIGSEGV, onFault);
  signal(SIGPIPE, SIG_IGN);
  signal(SIGXFSZ, SIG_IGN);
  umask(022);
  char *line = allocate(lineMax);
  while (fgets(line, lineMax, stdin) != NULL) {
    line[strcspn(line, "\n")] = 0;
    split(line);
    long long (*make)(void) = NULL;
    for (size_t i = 0; i < sizeof calls / sizeof *calls; i++) {
      if (count > 0 && strcmp(calls[i].name, tokens[0]) == 0) make = calls[i].make;
    }
    if (make == NULL) refuse("driver: no such call: %s", line);
    out = open_memstream(&answer, &answerSize);
    if (out == NULL) refuse("driver: no memory");
    errno = 0;
    long long result = make();
    int failure = errno;
    fclose(out);
    if (result == -1) printf("%s\n", strerrorname_np(failure));
    else printf("%lld%s\n", result, answer);
    fflush(stdout);
    free(answer);
  }
  leave();
  return 0;
}
