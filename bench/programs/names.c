/*
 * names DIR COUNT: makes COUNT empty files n0, n1, ... in DIR.
 * names DIR 0 stat NAME SECONDS: asks for NAME's attributes over and over; prints the median in microseconds.
 */
#define _GNU_SOURCE
#include <fcntl.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

enum { samples_max = 1 << 20 };

static uint64_t now(void) {
  struct timespec t;
  clock_gettime(CLOCK_MONOTONIC, &t);
  return (uint64_t)t.tv_sec * 1000000000u + (uint64_t)t.tv_nsec;
}

static int compare(const void *a, const void *b) {
  const uint32_t x = *(const uint32_t *)a, y = *(const uint32_t *)b;
  return (x > y) - (x < y);
}

static int time_stat(int dir, const char *name, double seconds) {
  static uint32_t samples[samples_max];
  size_t count = 0;
  struct stat st;
  const uint64_t end = now() + (uint64_t)(seconds * 1e9);
  for (uint64_t start; count < samples_max && (start = now()) < end; count++) {
    if (fstatat(dir, name, &st, AT_SYMLINK_NOFOLLOW) < 0) return 1;
    samples[count] = (uint32_t)(now() - start);
  }
  qsort(samples, count, sizeof *samples, compare);
  printf("%.3f\n", samples[count / 2] / 1e3);
  return 0;
}

static int make(int dir, long count) {
  char name[32];
  for (long i = 0; i < count; i++) {
    snprintf(name, sizeof name, "n%ld", i);
    const int fd = openat(dir, name, O_CREAT | O_EXCL | O_WRONLY, 0644);
    if (fd < 0) return 1;
    close(fd);
  }
  return 0;
}

int main(int argc, char **argv) {
  if (argc != 3 && argc != 6) return 2;
  const int dir = open(argv[1], O_RDONLY | O_DIRECTORY);
  const int failed = dir < 0 || (argc == 3 ? make(dir, atol(argv[2])) : time_stat(dir, argv[4], atof(argv[5])));
  if (failed) perror("names");
  return failed;
}
