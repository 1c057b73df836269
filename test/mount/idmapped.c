// Makes an idmapped mount of a mount: idmapped SOURCE TARGET FIRST COUNT
// The ids 0 to COUNT of SOURCE are shown at TARGET as FIRST on. Prints nothing; fails with the call that did.
#define _GNU_SOURCE
#include <errno.h>
#include <fcntl.h>
#include <linux/mount.h>
#include <sched.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

static void check(int failed, const char *call) {
  if (!failed) return;
  fprintf(stderr, "%s: %s\n", call, strerror(errno));
  exit(1);
}

static void map_ids(pid_t child, const char *file, const char *line) {
  char path[64];
  snprintf(path, sizeof path, "/proc/%d/%s", child, file);
  int fd = open(path, O_WRONLY | O_CLOEXEC);
  check(fd < 0, path);
  check(write(fd, line, strlen(line)) < 0, path);
  close(fd);
}

// A user namespace lives as long as a descriptor of it: its process may go.
static int user_namespace(const char *first, const char *count) {
  int ready[2];
  check(pipe(ready) != 0, "pipe");
  pid_t child = fork();
  check(child < 0, "fork");
  if (child == 0) {
    char ok = unshare(CLONE_NEWUSER) == 0;
    if (write(ready[1], &ok, 1) == 1) pause();
    _exit(0);
  }
  char ok = 0;
  check(read(ready[0], &ok, 1) != 1 || !ok, "unshare");
  char line[64];
  snprintf(line, sizeof line, "0 %s %s\n", first, count);
  map_ids(child, "uid_map", line);
  map_ids(child, "gid_map", line);
  char path[64];
  snprintf(path, sizeof path, "/proc/%d/ns/user", child);
  int fd = open(path, O_RDONLY | O_CLOEXEC);
  check(fd < 0, path);
  kill(child, SIGKILL);
  waitpid(child, NULL, 0);
  return fd;
}

int main(int argc, char **argv) {
  if (argc != 5) return 2;
  int tree = (int)syscall(SYS_open_tree, AT_FDCWD, argv[1], OPEN_TREE_CLONE | OPEN_TREE_CLOEXEC);
  check(tree < 0, "open_tree");
  struct mount_attr attr = {.attr_set = MOUNT_ATTR_IDMAP, .userns_fd = (unsigned)user_namespace(argv[3], argv[4])};
  check(syscall(SYS_mount_setattr, tree, "", AT_EMPTY_PATH, &attr, sizeof attr) != 0, "mount_setattr");
  check(syscall(SYS_move_mount, tree, "", AT_FDCWD, argv[2], MOVE_MOUNT_F_EMPTY_PATH) != 0, "move_mount");
  return 0;
}
