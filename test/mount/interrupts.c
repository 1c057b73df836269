// Namespace calls under a 1 ms timer whose handler restarts them: interrupts DIRECTORY CALLS
// Prints how many signals were handled; fails on the first call that does, as with EINTR.
#include <errno.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/time.h>
#include <unistd.h>

static volatile sig_atomic_t signals;

static void count(int signal) {
  (void)signal;
  signals++;
}

static void check(int result, const char *call, long n) {
  if (result == 0) return;
  fprintf(stderr, "%s, call %ld: %s\n", call, n, strerror(errno));
  exit(1);
}

int main(int argc, char **argv) {
  if (argc != 3 || chdir(argv[1]) != 0) return 2;
  struct sigaction action;
  memset(&action, 0, sizeof action);
  action.sa_handler = count;
  action.sa_flags = SA_RESTART;
  sigaction(SIGALRM, &action, NULL);
  struct itimerval timer = {{0, 1000}, {0, 1000}};
  setitimer(ITIMER_REAL, &timer, NULL);
  const long calls = atol(argv[2]);
  for (long n = 0; n < calls; n += 4) {
    check(mkdir("a", 0755), "mkdir", n);
    check(rename("a", "b"), "rename", n + 1);
    check(chmod("b", 0700), "chmod", n + 2);
    check(rmdir("b"), "rmdir", n + 3);
  }
  printf("%ld\n", (long)signals);
  return 0;
}
