/*
 * load DIR THREADS SECONDS OPERATION: one operation over and over, and how fast it went, as a line of JSON.
 *
 * Every thread works in a folder of its own, through that folder's descriptor, so that one operation is one
 * path component inside the mount. Nothing here gets around the kernel's caches of names and attributes:
 * mount with both timeouts 0. Data: the 4 KiB operations and directread use O_DIRECT (where it is refused,
 * plain descriptors); seqread drops the file's pages before each pass; seqwrite ends each pass with fsync,
 * and counts it.
 *
 * Environment: SIZE_MB (file size of a thread, default 64), NFILES (64), NDIR (entries to list, 1000).
 */
#define _GNU_SOURCE
#include <errno.h>
#include <fcntl.h>
#include <pthread.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <time.h>
#include <unistd.h>

/* Latencies are counted in buckets of 1/64 of a power of two. */
enum { sub_buckets = 64, buckets = 64 * sub_buckets, page = 4096, megabyte = 1 << 20 };

struct worker {
  pthread_t thread;
  int id;
  int dir;
  int file; /* the open file of the 4 KiB operations */
  int last_error;
  uint64_t operations, bytes, errors, end, longest, round, random;
  uint32_t *histogram;
  char *buffer;
  uint64_t written;
  char path[4096];
};

struct operation {
  const char *name;
  bool many_files, many_entries, data;
  int open_file; /* flags of the file that stays open, or -1 */
  void (*once)(struct worker *);
};

static const char *directory;
static const struct operation *operation;
static int file_count = 64, entry_count = 1000;
static long size_mb = 64;
static pthread_barrier_t barrier;
static atomic_bool stop;

static uint64_t now(void) {
  struct timespec t;
  clock_gettime(CLOCK_MONOTONIC, &t);
  return (uint64_t)t.tv_sec * 1000000000u + (uint64_t)t.tv_nsec;
}

static int bucket_of(uint64_t value) {
  if (value < sub_buckets) return (int)value;
  const int exponent = 63 - __builtin_clzll(value);
  const int bucket = (exponent - 5) * sub_buckets + (int)((value >> (exponent - 6)) & (sub_buckets - 1));
  return bucket < buckets ? bucket : buckets - 1;
}

/* The middle of a bucket. */
static uint64_t value_of(int bucket) {
  if (bucket < sub_buckets) return (uint64_t)bucket;
  const int exponent = bucket / sub_buckets + 5;
  return (1ull << exponent) + ((uint64_t)(bucket % sub_buckets) << (exponent - 6)) + (exponent > 6 ? 1ull << (exponent - 7) : 0);
}

static void die(const char *what) {
  fprintf(stderr, "load: %s: %s\n", what, strerror(errno));
  exit(1);
}

static void failed(struct worker *w) {
  w->errors++;
  w->last_error = errno;
}

static void done(struct worker *w, uint64_t start) {
  const uint64_t took = now() - start;
  w->histogram[bucket_of(took)]++;
  w->operations++;
  if (took > w->longest) w->longest = took;
}

static off_t random_page(struct worker *w) {
  uint64_t x = w->random;
  x ^= x << 13;
  x ^= x >> 7;
  x ^= x << 17;
  w->random = x;
  return (off_t)(x % ((uint64_t)size_mb * 256)) * page;
}

static int open_data(int dir, int flags) {
  int fd = openat(dir, "big", flags, 0644);
  if (fd < 0 && (flags & O_DIRECT) != 0) fd = openat(dir, "big", flags & ~O_DIRECT, 0644);
  if (fd < 0) die("open big");
  return fd;
}

static bool whole(int fd, char *buffer, bool writing) {
  for (size_t at = 0; at < megabyte;) {
    const ssize_t count = writing ? write(fd, buffer + at, megabyte - at) : read(fd, buffer + at, megabyte - at);
    if (count <= 0) return false;
    at += (size_t)count;
  }
  return true;
}

/* What is written differs each time in every KiB: a store may write nothing where nothing has changed. */
static void renew(struct worker *w, size_t length) {
  w->written++;
  for (size_t at = 0; at < length; at += 1024) memcpy(w->buffer + at, &w->written, sizeof w->written);
}

/* A pass over the file, a MiB at a time. */
static void pass(struct worker *w, int flags, bool writing) {
  const int fd = open_data(w->dir, flags);
  for (long i = 0; i < size_mb && !atomic_load_explicit(&stop, memory_order_relaxed); i++) {
    if (writing) renew(w, megabyte);
    const uint64_t start = now();
    if (!whole(fd, w->buffer, writing)) {
      failed(w);
      break;
    }
    done(w, start);
    w->bytes += megabyte;
  }
  if (writing && fsync(fd) < 0) failed(w);
  close(fd);
}

static void do_stat(struct worker *w) {
  char name[32];
  struct stat st;
  snprintf(name, sizeof name, "f%d", (int)(w->round % (uint64_t)file_count));
  const uint64_t start = now();
  if (fstatat(w->dir, name, &st, AT_SYMLINK_NOFOLLOW) < 0) failed(w);
  done(w, start);
}

static void do_lookup_miss(struct worker *w) {
  char name[32];
  struct stat st;
  snprintf(name, sizeof name, "m%llu", (unsigned long long)w->round);
  const uint64_t start = now();
  if (fstatat(w->dir, name, &st, AT_SYMLINK_NOFOLLOW) == 0 || errno != ENOENT) failed(w);
  done(w, start);
}

static void do_open_close(struct worker *w) {
  char name[32];
  snprintf(name, sizeof name, "f%d", (int)(w->round % (uint64_t)file_count));
  const uint64_t start = now();
  const int fd = openat(w->dir, name, O_RDONLY);
  if (fd < 0) failed(w);
  else close(fd);
  done(w, start);
}

static void do_create_unlink(struct worker *w) {
  char name[32];
  snprintf(name, sizeof name, "c%llu", (unsigned long long)w->round);
  const uint64_t start = now();
  const int fd = openat(w->dir, name, O_CREAT | O_EXCL | O_WRONLY, 0644);
  if (fd < 0) failed(w);
  else close(fd);
  if (unlinkat(w->dir, name, 0) < 0) failed(w);
  done(w, start);
}

/* struct linux_dirent64: d_reclen at 16, d_name at 19. */
static void do_readdir(struct worker *w) {
  int count = 0;
  const uint64_t start = now();
  const int fd = openat(w->dir, ".", O_RDONLY | O_DIRECTORY);
  if (fd < 0) {
    failed(w);
    return;
  }
  for (;;) {
    const long size = syscall(SYS_getdents64, fd, w->buffer, 32768);
    if (size < 0) failed(w);
    if (size <= 0) break;
    for (long at = 0; at < size;) {
      unsigned short length;
      memcpy(&length, w->buffer + at + 16, sizeof length);
      if (w->buffer[at + 19] != '.') count++;
      at += length;
    }
  }
  close(fd);
  done(w, start);
  if (count != entry_count) {
    errno = ERANGE;
    failed(w);
  }
}

static void do_read_4k(struct worker *w) {
  const off_t offset = random_page(w);
  const uint64_t start = now();
  if (pread(w->file, w->buffer, page, offset) != page) failed(w);
  done(w, start);
  w->bytes += page;
}

static void do_write_4k(struct worker *w) {
  const off_t offset = random_page(w);
  renew(w, page);
  const uint64_t start = now();
  if (pwrite(w->file, w->buffer, page, offset) != page) failed(w);
  done(w, start);
  w->bytes += page;
}

static void do_seq_read(struct worker *w) {
  const int fd = openat(w->dir, "big", O_RDONLY);
  posix_fadvise(fd, 0, 0, POSIX_FADV_DONTNEED);
  close(fd);
  pass(w, O_RDONLY, false);
}

static void do_seq_write(struct worker *w) { pass(w, O_WRONLY | O_CREAT | O_TRUNC, true); }

static void do_direct_read(struct worker *w) { pass(w, O_RDONLY | O_DIRECT, false); }

static const struct operation operations[] = {
    {"stat", true, false, false, -1, do_stat},
    {"lookup-miss", false, false, false, -1, do_lookup_miss},
    {"open-close", true, false, false, -1, do_open_close},
    {"create-unlink", false, false, false, -1, do_create_unlink},
    {"readdir", false, true, false, -1, do_readdir},
    {"read4k", false, false, true, O_RDONLY | O_DIRECT, do_read_4k},
    {"write4k", false, false, true, O_WRONLY | O_DIRECT, do_write_4k},
    {"seqread", false, false, true, -1, do_seq_read},
    {"seqwrite", false, false, true, -1, do_seq_write},
    {"directread", false, false, true, -1, do_direct_read},
};

static void prepare(struct worker *w, int names) {
  if (mkdir(w->path, 0755) < 0) die("mkdir");
  w->dir = open(w->path, O_RDONLY | O_DIRECTORY);
  if (w->dir < 0) die("open folder");
  for (int i = 0; i < names; i++) {
    char name[32];
    snprintf(name, sizeof name, "f%d", i);
    const int fd = openat(w->dir, name, O_CREAT | O_WRONLY, 0644);
    if (fd < 0) die("create");
    close(fd);
  }
  if (operation->data) {
    const int fd = openat(w->dir, "big", O_CREAT | O_WRONLY, 0644);
    if (fd < 0) die("create big");
    for (long i = 0; i < size_mb; i++)
      if (!whole(fd, w->buffer, true)) die("fill");
    if (fsync(fd) < 0) die("fsync");
    close(fd);
  }
  w->file = operation->open_file < 0 ? -1 : open_data(w->dir, operation->open_file);
}

static void clean(struct worker *w, int names) {
  if (w->file >= 0) close(w->file);
  for (int i = 0; i < names; i++) {
    char name[32];
    snprintf(name, sizeof name, "f%d", i);
    unlinkat(w->dir, name, 0);
  }
  unlinkat(w->dir, "big", 0);
  close(w->dir);
  rmdir(w->path);
}

static void *work(void *argument) {
  struct worker *w = argument;
  void *memory = NULL;
  if (posix_memalign(&memory, page, megabyte) != 0) die("memory");
  w->buffer = memory;
  for (int i = 0; i < megabyte; i++) w->buffer[i] = (char)(i * 31 + (i >> 8));
  w->random = 88172645463325253ull + (uint64_t)w->id * 7919;
  snprintf(w->path, sizeof w->path, "%s/load.%d.%d", directory, (int)getpid(), w->id);
  const int names = operation->many_files ? file_count : operation->many_entries ? entry_count : 0;
  prepare(w, names);
  pthread_barrier_wait(&barrier); /* all are prepared */
  pthread_barrier_wait(&barrier); /* the time runs */
  for (; !atomic_load_explicit(&stop, memory_order_relaxed) && w->errors <= 1000; w->round++) operation->once(w);
  w->end = now();
  pthread_barrier_wait(&barrier);
  clean(w, names);
  free(memory);
  return NULL;
}

static void wait_until(uint64_t deadline) {
  const struct timespec t = {(time_t)(deadline / 1000000000u), (long)(deadline % 1000000000u)};
  while (clock_nanosleep(CLOCK_MONOTONIC, TIMER_ABSTIME, &t, NULL) == EINTR) continue;
}

static long from_environment(const char *name, long otherwise) {
  const char *text = getenv(name);
  return text == NULL ? otherwise : atol(text);
}

static double seconds_between(struct timeval from, struct timeval to) {
  return (double)(to.tv_sec - from.tv_sec) + (double)(to.tv_usec - from.tv_usec) / 1e6;
}

static void report(struct worker *workers, int threads, uint64_t start, const struct rusage *before, const struct rusage *after) {
  uint64_t end = 0, total = 0, bytes = 0, errors = 0, longest = 0;
  int last_error = 0;
  uint64_t *histogram = calloc(buckets, sizeof *histogram);
  if (histogram == NULL) die("memory");
  for (int i = 0; i < threads; i++) {
    const struct worker *w = &workers[i];
    if (w->end > end) end = w->end;
    if (w->longest > longest) longest = w->longest;
    if (w->errors > 0) last_error = w->last_error;
    total += w->operations;
    bytes += w->bytes;
    errors += w->errors;
    for (int b = 0; b < buckets; b++) histogram[b] += w->histogram[b];
  }
  const double quantiles[] = {0.5, 0.9, 0.99, 0.999};
  double microseconds[4] = {0};
  uint64_t seen = 0;
  for (int b = 0, q = 0; b < buckets && q < 4; b++) {
    seen += histogram[b];
    while (q < 4 && seen > 0 && (double)seen >= quantiles[q] * (double)total) microseconds[q++] = (double)value_of(b) / 1e3;
  }
  const double elapsed = (double)(end - start) / 1e9;
  printf("{\"operation\":\"%s\",\"threads\":%d,\"seconds\":%.4f,\"operations\":%llu,\"operationsPerSecond\":%.1f,\"mebibytesPerSecond\":%.2f,",
         operation->name, threads, elapsed, (unsigned long long)total, (double)total / elapsed, (double)bytes / elapsed / megabyte);
  printf("\"p50\":%.2f,\"p90\":%.2f,\"p99\":%.2f,\"p999\":%.2f,\"max\":%.1f,\"cpuSeconds\":%.3f,\"errors\":%llu,\"lastError\":\"%s\"}\n",
         microseconds[0], microseconds[1], microseconds[2], microseconds[3], (double)longest / 1e3,
         seconds_between(before->ru_utime, after->ru_utime) + seconds_between(before->ru_stime, after->ru_stime),
         (unsigned long long)errors, errors > 0 ? strerror(last_error) : "");
  free(histogram);
}

int main(int argc, char **argv) {
  if (argc != 5) {
    fprintf(stderr, "usage: load DIR THREADS SECONDS OPERATION\n");
    return 2;
  }
  directory = argv[1];
  const int threads = atoi(argv[2]);
  const double seconds = atof(argv[3]);
  for (size_t i = 0; i < sizeof operations / sizeof *operations; i++)
    if (strcmp(argv[4], operations[i].name) == 0) operation = &operations[i];
  if (operation == NULL || threads < 1 || seconds <= 0) {
    fprintf(stderr, "load: no such operation, or no threads, or no time\n");
    return 2;
  }
  size_mb = from_environment("SIZE_MB", size_mb);
  file_count = (int)from_environment("NFILES", file_count);
  entry_count = (int)from_environment("NDIR", entry_count);
  struct worker *workers = calloc((size_t)threads, sizeof *workers);
  if (workers == NULL) die("memory");
  pthread_barrier_init(&barrier, NULL, (unsigned)threads + 1);
  for (int i = 0; i < threads; i++) {
    workers[i].id = i;
    workers[i].histogram = calloc(buckets, sizeof *workers[i].histogram);
    if (workers[i].histogram == NULL || pthread_create(&workers[i].thread, NULL, work, &workers[i]) != 0) die("thread");
  }
  pthread_barrier_wait(&barrier);
  struct rusage before, after;
  getrusage(RUSAGE_SELF, &before);
  const uint64_t start = now();
  pthread_barrier_wait(&barrier);
  wait_until(start + (uint64_t)(seconds * 1e9));
  atomic_store(&stop, true);
  pthread_barrier_wait(&barrier);
  getrusage(RUSAGE_SELF, &after);
  uint64_t errors = 0;
  for (int i = 0; i < threads; i++) {
    pthread_join(workers[i].thread, NULL);
    errors += workers[i].errors;
  }
  report(workers, threads, start, &before, &after);
  for (int i = 0; i < threads; i++) free(workers[i].histogram);
  free(workers);
  return errors > 0 ? 1 : 0;
}
