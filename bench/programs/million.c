/*
 * million DIR COUNT: makes COUNT empty files in DIR, lists them, looks at each, removes each, and prints as
 * JSON the seconds that the two halves of each took; between the phases a line is read from standard input.
 */
#define _GNU_SOURCE
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

static double now(void) {
  struct timespec t;
  clock_gettime(CLOCK_MONOTONIC, &t);
  return (double)t.tv_sec + (double)t.tv_nsec / 1e9;
}

static void fail(const char *what, const char *name) {
  fprintf(stderr, "million: %s %s: %s\n", what, name, strerror(errno));
  exit(1);
}

static void make(const char *name) {
  if (mknod(name, S_IFREG | 0644, 0) != 0) fail("mknod", name);
}

static void look(const char *name) {
  struct stat st;
  if (stat(name, &st) != 0) fail("stat", name);
}

static void take_away(const char *name) {
  if (unlink(name) != 0) fail("unlink", name);
}

static void report(const char *phase, const double halves[2]) {
  printf("{\"phase\":\"%s\",\"first\":%.4f,\"second\":%.4f}\n", phase, halves[0], halves[1]);
  fflush(stdout);
  if (getchar() == EOF) exit(1);
}

static void each(const char *phase, long count, void (*act)(const char *)) {
  double halves[2];
  for (int half = 0; half < 2; half++) {
    const double start = now();
    for (long i = half * count / 2; i < (half + 1) * count / 2; i++) {
      char name[32];
      snprintf(name, sizeof name, "n%ld", i);
      act(name);
    }
    halves[half] = now() - start;
  }
  report(phase, halves);
}

static void list(long count) {
  DIR *dir = opendir(".");
  if (dir == NULL) fail("opendir", ".");
  double halves[2];
  long seen = 0;
  double start = now();
  for (struct dirent *entry; (entry = readdir(dir)) != NULL;) {
    if (entry->d_name[0] == '.') continue;
    if (++seen != count / 2) continue;
    halves[0] = now() - start;
    start = now();
  }
  halves[1] = now() - start;
  closedir(dir);
  if (seen != count) {
    fprintf(stderr, "million: %ld names were listed\n", seen);
    exit(1);
  }
  report("list", halves);
}

int main(int argc, char **argv) {
  if (argc != 3) {
    fprintf(stderr, "usage: million DIR COUNT\n");
    return 2;
  }
  const long count = atol(argv[2]);
  if (chdir(argv[1]) != 0) fail("chdir", argv[1]);
  each("create", count, make);
  list(count);
  each("stat", count, look);
  each("remove", count, take_away);
  return 0;
}
