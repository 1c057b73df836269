#include "spawn.h"

#include <fcntl.h>
#include <poll.h>
#include <spawn.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <time.h>

#include <algorithm>
#include <cerrno>
#include <csignal>
#include <cstring>

// Null where libc has none: glibc before 2.34, musl.
extern "C" __attribute__((weak)) int posix_spawn_file_actions_addclosefrom_np(posix_spawn_file_actions_t* actions, int from) noexcept;

namespace {

constexpr size_t output_limit = 8192;
// The helper's end of the socket pair.
constexpr int helper_socket = 3;

int64_t now_ms() {
  timespec now;
  clock_gettime(CLOCK_MONOTONIC, &now);
  return static_cast<int64_t>(now.tv_sec) * 1000 + now.tv_nsec / 1000000;
}

// Reads what is there; true at the end of the pipe.
bool drain_output(int fd, std::string* output) {
  char buffer[1024];
  for (;;) {
    const ssize_t count = read(fd, buffer, sizeof buffer);
    if (count < 0 && errno == EINTR) continue;
    if (count <= 0) return count == 0 || errno != EAGAIN;
    const size_t room = output_limit - std::min(output_limit, output->size());
    output->append(buffer, std::min(room, static_cast<size_t>(count)));
  }
}

// Receives what is there; keeps the first descriptor and closes any other. True at the end of the socket.
bool drain_socket(int fd, HelperOutcome* outcome) {
  for (;;) {
    char bytes[64];
    // As many as one message can carry (SCM_MAX_FD), so that none is lost track of.
    alignas(cmsghdr) char control[CMSG_SPACE(253 * sizeof(int))];
    iovec part{bytes, sizeof bytes};
    msghdr message{};
    message.msg_iov = &part;
    message.msg_iovlen = 1;
    message.msg_control = control;
    message.msg_controllen = sizeof control;
    const ssize_t count = recvmsg(fd, &message, MSG_CMSG_CLOEXEC | MSG_DONTWAIT);
    if (count < 0 && errno == EINTR) continue;
    if (count < 0) return errno != EAGAIN;
    if (count > 0 && outcome->sent == Sent::nothing) outcome->sent = Sent::bytes;
    for (cmsghdr* header = CMSG_FIRSTHDR(&message); header != nullptr; header = CMSG_NXTHDR(&message, header)) {
      if (header->cmsg_level != SOL_SOCKET || header->cmsg_type != SCM_RIGHTS) continue;
      const size_t fds = (header->cmsg_len - CMSG_LEN(0)) / sizeof(int);
      for (size_t i = 0; i < fds; ++i) {
        int fd_received;
        memcpy(&fd_received, CMSG_DATA(header) + i * sizeof(int), sizeof(int));
        UniqueFd owned(fd_received);
        outcome->sent = Sent::descriptor;
        if (!outcome->received.open()) outcome->received = std::move(owned);
      }
    }
    if (count == 0) return true;
  }
}

struct Pipes {
  UniqueFd output_read;
  UniqueFd output_write;
  UniqueFd socket_ours;
  UniqueFd socket_theirs;
};

int open_pipes(const Helper& helper, Pipes* pipes, const char** syscall) {
  int fds[2];
  *syscall = "pipe2";
  if (pipe2(fds, O_CLOEXEC) != 0) return errno;
  pipes->output_read.reset(fds[0]);
  pipes->output_write.reset(fds[1]);
  // Only our end: the helper writes as any program does.
  if (fcntl(fds[0], F_SETFL, O_NONBLOCK) != 0) return errno;
  if (helper.socket_variable == nullptr) return 0;
  *syscall = "socketpair";
  if (socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, fds) != 0) return errno;
  pipes->socket_ours.reset(fds[0]);
  pipes->socket_theirs.reset(fds[1]);
  return 0;
}

int spawn(const Helper& helper, const Pipes& pipes, pid_t* pid) {
  std::vector<std::string> variables{"PATH=" + helper.path};
  if (helper.socket_variable != nullptr) variables.push_back(std::string(helper.socket_variable) + "=" + std::to_string(helper_socket));
  std::vector<char*> environment;
  for (std::string& variable : variables) environment.push_back(variable.data());
  environment.push_back(nullptr);
  std::vector<char*> arguments{const_cast<char*>(helper.program.c_str())};
  for (const std::string& argument : helper.arguments) arguments.push_back(const_cast<char*>(argument.c_str()));
  arguments.push_back(nullptr);

  posix_spawn_file_actions_t files;
  posix_spawnattr_t attributes;
  posix_spawn_file_actions_init(&files);
  posix_spawnattr_init(&attributes);
  posix_spawn_file_actions_addopen(&files, STDIN_FILENO, "/dev/null", O_RDONLY, 0);
  posix_spawn_file_actions_adddup2(&files, pipes.output_write.get(), STDOUT_FILENO);
  posix_spawn_file_actions_adddup2(&files, pipes.output_write.get(), STDERR_FILENO);
  if (pipes.socket_theirs.open()) posix_spawn_file_actions_adddup2(&files, pipes.socket_theirs.get(), helper_socket);
  if (posix_spawn_file_actions_addclosefrom_np != nullptr) {
    posix_spawn_file_actions_addclosefrom_np(&files, pipes.socket_theirs.open() ? helper_socket + 1 : helper_socket);
  }
  sigset_t none;
  sigset_t all;
  sigemptyset(&none);
  sigfillset(&all);
  posix_spawnattr_setsigmask(&attributes, &none);
  posix_spawnattr_setsigdefault(&attributes, &all);
  // A group of its own: a Ctrl-C at the terminal is for us, and the helper's children die with it.
  posix_spawnattr_setpgroup(&attributes, 0);
  posix_spawnattr_setflags(&attributes, POSIX_SPAWN_SETSIGMASK | POSIX_SPAWN_SETSIGDEF | POSIX_SPAWN_SETPGROUP);
  const int error = posix_spawnp(pid, helper.program.c_str(), &files, &attributes, arguments.data(), environment.data());
  posix_spawnattr_destroy(&attributes);
  posix_spawn_file_actions_destroy(&files);
  return error;
}

}  // namespace

HelperOutcome run_helper(const Helper& helper) {
  HelperOutcome outcome;
  Pipes pipes;
  outcome.error = open_pipes(helper, &pipes, &outcome.syscall);
  if (outcome.error != 0) return outcome;
  pid_t pid = 0;
  outcome.syscall = "posix_spawn";
  outcome.error = spawn(helper, pipes, &pid);
  if (outcome.error != 0) return outcome;
  pipes.output_write.reset(-1);
  pipes.socket_theirs.reset(-1);

  // A kernel before 5.3 has no pidfd; then the child is asked after every 20 ms.
  const UniqueFd process(static_cast<int>(syscall(SYS_pidfd_open, pid, 0)));
  const int64_t deadline = now_ms() + helper.timeout_ms;
  int status = 0;
  for (;;) {
    pollfd watched[] = {{pipes.output_read.get(), POLLIN, 0}, {pipes.socket_ours.get(), POLLIN, 0}, {process.get(), POLLIN, 0}};
    const int64_t left = std::max<int64_t>(0, deadline - now_ms());
    poll(watched, 3, static_cast<int>(process.open() ? std::min<int64_t>(left, INT32_MAX) : std::min<int64_t>(left, 20)));
    const pid_t ended = waitpid(pid, &status, WNOHANG);
    if (pipes.output_read.open() && drain_output(pipes.output_read.get(), &outcome.output)) pipes.output_read.reset(-1);
    if (pipes.socket_ours.open() && drain_socket(pipes.socket_ours.get(), &outcome)) pipes.socket_ours.reset(-1);
    if (ended == pid) break;
    if (ended < 0 && errno != EINTR) {
      // Somebody else reaped it (a host that ignores SIGCHLD): its status is lost, its work is not.
      outcome.syscall = "waitpid";
      outcome.error = errno;
      return outcome;
    }
    if (now_ms() >= deadline) {
      kill(-pid, SIGKILL);
      while (waitpid(pid, &status, 0) < 0 && errno == EINTR) continue;
      outcome.syscall = "waitpid";
      outcome.error = ETIMEDOUT;
      return outcome;
    }
  }
  if (WIFEXITED(status)) outcome.exit_code = WEXITSTATUS(status);
  if (WIFSIGNALED(status)) outcome.signal = WTERMSIG(status);
  return outcome;
}
