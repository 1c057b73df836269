/*
 * names DIR PROCESSES CALLS: each process changes names in a folder of its own, CALLS times in all: mkdir,
 * mknod, link, rename, unlink, rmdir, every name used once. It knows what each call has to answer, and what
 * is there in the end. Prints, as a line of JSON, calls, failures with what they were, the slowest call in
 * milliseconds, and what is wrong with the folders afterwards.
 */
#define _GNU_SOURCE
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

enum { most = 4096, message_size = 160 };

struct result {
  uint64_t calls, failed, slowest_us;
  char first[message_size];
};

/* A name that is there: its number, and whether it is a folder. */
struct name {
  int number;
  bool folder;
};

static uint64_t now_us(void) {
  struct timespec t;
  clock_gettime(CLOCK_MONOTONIC, &t);
  return (uint64_t)t.tv_sec * 1000000 + (uint64_t)t.tv_nsec / 1000;
}

static struct result *result;
static uint64_t begun;

static void begin(void) { begun = now_us(); }

static void complain(const char *what, const char *path, const char *why) {
  if (result->failed++ == 0) snprintf(result->first, message_size, "%s %s: %s", what, path, why);
}

static bool end(const char *what, const char *path, int status) {
  const int error = errno;
  const uint64_t took = now_us() - begun;
  if (took > result->slowest_us) result->slowest_us = took;
  result->calls++;
  if (status == 0) return true;
  complain(what, path, strerror(error));
  return false;
}

static int by_number(const void *a, const void *b) { return ((const struct name *)a)->number - ((const struct name *)b)->number; }

/* The folder's names are these, of these types, and no others. */
static void check(const char *folder, struct name *names, int count) {
  qsort(names, (size_t)count, sizeof *names, by_number);
  bool *seen = calloc((size_t)count + 1, sizeof *seen);
  DIR *dir = opendir(folder);
  if (dir == NULL || seen == NULL) {
    complain("opendir", folder, strerror(errno));
    return;
  }
  for (struct dirent *entry; (entry = readdir(dir)) != NULL;) {
    if (entry->d_name[0] == '.') continue;
    const struct name wanted = {.number = atoi(entry->d_name + 1)};
    const struct name *found = bsearch(&wanted, names, (size_t)count, sizeof *names, by_number);
    if (found == NULL) complain("readdir", entry->d_name, "was taken away, and is there");
    else if (seen[found - names]) complain("readdir", entry->d_name, "is there twice");
    else if ((entry->d_type == DT_DIR) != found->folder) complain("readdir", entry->d_name, "is of another type");
    else seen[found - names] = true;
  }
  closedir(dir);
  for (int i = 0; i < count; i++) {
    char path[32];
    snprintf(path, sizeof path, "n%d", names[i].number);
    if (!seen[i]) complain("readdir", path, "was made, and is not there");
  }
  free(seen);
}

static void work(const char *folder, uint64_t calls, unsigned seed) {
  static struct name names[most];
  int count = 0;
  int next = 0;
  uint64_t random = seed * 2654435761u + 1;
  if (mkdir(folder, 0755) != 0 || chdir(folder) != 0) {
    complain("mkdir", folder, strerror(errno));
    return;
  }
  while (result->calls < calls) {
    random = random * 6364136223846793005u + 1442695040888963407u;
    const unsigned choice = (unsigned)(random >> 33) % 8;
    char from[32], to[32];
    snprintf(to, sizeof to, "n%d", next);
    const int at = count == 0 ? 0 : (int)((random >> 40) % (unsigned)count);
    if (count > 0) snprintf(from, sizeof from, "n%d", names[at].number);
    if (count == 0 || (choice < 3 && count < most)) {
      const bool folder_wanted = choice == 0;
      begin();
      if (!end(folder_wanted ? "mkdir" : "mknod", to, folder_wanted ? mkdir(to, 0755) : mknod(to, S_IFREG | 0644, 0))) continue;
      names[count++] = (struct name){next++, folder_wanted};
    } else if (choice == 3 && count < most && !names[at].folder) {
      begin();
      if (!end("link", to, link(from, to))) continue;
      names[count++] = (struct name){next++, false};
    } else if (choice < 6) {
      begin();
      if (!end("rename", to, rename(from, to))) continue;
      names[at].number = next++;
    } else {
      const bool is_folder = names[at].folder;
      begin();
      if (!end(is_folder ? "rmdir" : "unlink", from, is_folder ? rmdir(from) : unlink(from))) continue;
      names[at] = names[--count];
    }
  }
  check(".", names, count);
}

int main(int argc, char **argv) {
  if (argc != 4) {
    fprintf(stderr, "usage: names DIR PROCESSES CALLS\n");
    return 2;
  }
  const int processes = atoi(argv[2]);
  const uint64_t calls = strtoull(argv[3], NULL, 10) / (uint64_t)processes;
  struct result *results = mmap(NULL, sizeof *results * (size_t)processes, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
  if (results == MAP_FAILED) return 1;
  for (int i = 0; i < processes; i++) {
    if (fork() != 0) continue;
    result = &results[i];
    char folder[4096];
    snprintf(folder, sizeof folder, "%s/p%d", argv[1], i);
    work(folder, calls, (unsigned)i + 1);
    _exit(0);
  }
  int status = 0;
  bool lost = false;
  while (wait(&status) > 0) lost = lost || status != 0;
  struct result all = {0};
  for (int i = 0; i < processes; i++) {
    all.calls += results[i].calls;
    if (all.failed == 0 && results[i].failed > 0) memcpy(all.first, results[i].first, message_size);
    all.failed += results[i].failed;
    if (results[i].slowest_us > all.slowest_us) all.slowest_us = results[i].slowest_us;
  }
  printf("{\"calls\":%llu,\"failed\":%llu,\"slowest\":%.1f,\"first\":\"%s\"}\n", (unsigned long long)all.calls, (unsigned long long)all.failed,
         (double)all.slowest_us / 1000, lost ? "a process was killed" : all.first);
  return lost || all.failed > 0;
}
