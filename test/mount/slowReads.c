// Reads under a 10 ms timer whose handler restarts them: slowReads FILE READS
// Prints how many signals were handled; fails on the first read that does not bring "hello".
#define _GNU_SOURCE
#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/time.h>
#include <unistd.h>

static volatile sig_atomic_t signals;

static void count(int signal) {
  (void)signal;
  signals++;
}

int main(int argc, char **argv) {
  if (argc != 3) return 2;
  const int fd = open(argv[1], O_RDONLY);
  if (fd < 0) return 2;
  struct sigaction action;
  memset(&action, 0, sizeof action);
  action.sa_handler = count;
  action.sa_flags = SA_RESTART;
  sigaction(SIGALRM, &action, NULL);
  struct itimerval timer = {{0, 10000}, {0, 10000}};
  setitimer(ITIMER_REAL, &timer, NULL);
  const long reads = atol(argv[2]);
  for (long n = 0; n < reads; n++) {
    char bytes[8];
    // The next read is the server's again.
    posix_fadvise(fd, 0, 0, POSIX_FADV_DONTNEED);
    const ssize_t length = pread(fd, bytes, sizeof bytes, 0);
    if (length == 5 && memcmp(bytes, "hello", 5) == 0) continue;
    fprintf(stderr, "read %ld: %zd, %s\n", n, length, length < 0 ? strerror(errno) : "other bytes");
    return 1;
  }
  printf("%ld\n", (long)signals);
  return 0;
}
