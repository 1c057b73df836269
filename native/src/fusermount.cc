// The set-uid helper: spawned with one end of a socketpair, it sends the /dev/fuse descriptor back.
#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <spawn.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include <algorithm>
#include <memory>
#include <string>
#include <vector>

#include "handle.h"
#include "job.h"

namespace bickford {

namespace {

struct Command {
  std::string program;
  std::vector<std::string> arguments;
  std::vector<std::string> environment;
  int timeout_ms;
};

struct Outcome {
  int error = 0;              // a negative errno when the helper could not be run
  const char* syscall = "";   // and of what
  int status = -1;            // the exit status, or 128 + the signal
  int descriptors = 0;        // how many were received
  UniqueFd fd;                // the first of them
  std::string messages;       // its stderr
};

// The child's socket, by the number the helper is told.
constexpr int kCommFd = 3;
constexpr size_t kMostMessages = 16384;

int64_t NowMs() {
  timespec now;
  clock_gettime(CLOCK_MONOTONIC, &now);
  return now.tv_sec * 1000 + now.tv_nsec / 1000000;
}

std::vector<char*> Pointers(std::vector<std::string>& strings) {
  std::vector<char*> pointers;
  for (std::string& text : strings) pointers.push_back(text.data());
  pointers.push_back(nullptr);
  return pointers;
}

// One message from the helper; false at the end of file.
bool Receive(int socket, Outcome& outcome) {
  char byte[16];
  iovec part = {byte, sizeof byte};
  alignas(cmsghdr) char control[CMSG_SPACE(8 * sizeof(int))];
  msghdr message = {};
  message.msg_iov = &part;
  message.msg_iovlen = 1;
  message.msg_control = control;
  message.msg_controllen = sizeof control;
  ssize_t length = ::recvmsg(socket, &message, MSG_CMSG_CLOEXEC | MSG_DONTWAIT);
  if (length < 0) return errno == EAGAIN || errno == EINTR;
  for (cmsghdr* header = CMSG_FIRSTHDR(&message); header != nullptr; header = CMSG_NXTHDR(&message, header)) {
    if (header->cmsg_level != SOL_SOCKET || header->cmsg_type != SCM_RIGHTS) continue;
    size_t count = (header->cmsg_len - CMSG_LEN(0)) / sizeof(int);
    for (size_t i = 0; i < count; i++) {
      int received;
      memcpy(&received, CMSG_DATA(header) + i * sizeof(int), sizeof(int));
      UniqueFd owned(received);
      outcome.descriptors++;
      if (outcome.fd.get() < 0) outcome.fd = std::move(owned);
    }
  }
  return length > 0;
}

bool Collect(int pipe, Outcome& outcome) {
  char text[1024];
  ssize_t length = ::read(pipe, text, sizeof text);
  if (length < 0) return errno == EAGAIN || errno == EINTR;
  if (length > 0 && outcome.messages.size() < kMostMessages) outcome.messages.append(text, static_cast<size_t>(length));
  return length > 0;
}

Outcome Fail(const char* syscall, int error) {
  Outcome outcome;
  outcome.error = -error;
  outcome.syscall = syscall;
  return outcome;
}

Outcome Execute(Command& command) {
  int pair[2];
  if (::socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, pair) < 0) return Fail("socketpair", errno);
  UniqueFd ours(pair[0]);
  UniqueFd theirs(pair[1]);
  int pipes[2];
  if (::pipe2(pipes, O_CLOEXEC) < 0) return Fail("pipe2", errno);
  UniqueFd errors(pipes[0]);
  UniqueFd child_errors(pipes[1]);
  ::fcntl(errors.get(), F_SETFL, O_NONBLOCK);
  // Out of the way of the numbers the child gets them as: dup2 onto itself would leave close-on-exec set.
  UniqueFd comm(::fcntl(theirs.get(), F_DUPFD_CLOEXEC, 10));
  UniqueFd err(::fcntl(child_errors.get(), F_DUPFD_CLOEXEC, 10));
  if (comm.get() < 0 || err.get() < 0) return Fail("fcntl", errno);
  theirs.reset();
  child_errors.reset();

  posix_spawn_file_actions_t actions;
  posix_spawn_file_actions_init(&actions);
  posix_spawn_file_actions_addopen(&actions, 0, "/dev/null", O_RDONLY, 0);
  posix_spawn_file_actions_addopen(&actions, 1, "/dev/null", O_WRONLY, 0);
  posix_spawn_file_actions_adddup2(&actions, err.get(), 2);
  posix_spawn_file_actions_adddup2(&actions, comm.get(), kCommFd);
  posix_spawnattr_t attributes;
  posix_spawnattr_init(&attributes);
  sigset_t none;
  sigemptyset(&none);
  posix_spawnattr_setsigmask(&attributes, &none);
  posix_spawnattr_setflags(&attributes, POSIX_SPAWN_SETSIGMASK);
  std::vector<char*> argv = Pointers(command.arguments);
  std::vector<char*> envp = Pointers(command.environment);
  pid_t pid = -1;
  int failed = posix_spawn(&pid, command.program.c_str(), &actions, &attributes, argv.data(), envp.data());
  posix_spawn_file_actions_destroy(&actions);
  posix_spawnattr_destroy(&attributes);
  if (failed != 0) return Fail("posix_spawn", failed);
  comm.reset();
  err.reset();

  Outcome outcome;
  int64_t deadline = NowMs() + command.timeout_ms;
  bool talking = true;
  bool writing = true;
  bool exited = false;
  int status = 0;
  while (!exited) {
    int64_t left = deadline - NowMs();
    if (left <= 0) {
      ::kill(pid, SIGKILL);
      ::waitpid(pid, &status, 0);
      outcome.error = -ETIMEDOUT;
      outcome.syscall = "waitpid";
      break;
    }
    pollfd ready[2] = {{talking ? ours.get() : -1, POLLIN, 0}, {writing ? errors.get() : -1, POLLIN, 0}};
    // With nothing left to listen to, only the exit is awaited; a short tick, as there is no descriptor for it.
    ::poll(ready, 2, static_cast<int>(talking || writing ? std::min<int64_t>(left, 50) : 5));
    if (ready[0].revents != 0) talking = Receive(ours.get(), outcome);
    if (ready[1].revents != 0) writing = Collect(errors.get(), outcome);
    exited = ::waitpid(pid, &status, WNOHANG) == pid;
  }
  while (talking && Receive(ours.get(), outcome) && outcome.descriptors == 0) {
    pollfd more = {ours.get(), POLLIN, 0};
    if (::poll(&more, 1, 0) <= 0) break;
  }
  for (int i = 0; i < 16 && writing; i++) {
    pollfd more = {errors.get(), POLLIN, 0};
    if (::poll(&more, 1, 0) <= 0) break;
    writing = Collect(errors.get(), outcome);
  }
  outcome.status = WIFEXITED(status) ? WEXITSTATUS(status) : 128 + WTERMSIG(status);
  if (outcome.fd.get() >= 0) {
    int flags = ::fcntl(outcome.fd.get(), F_GETFL);
    ::fcntl(outcome.fd.get(), F_SETFL, flags | O_NONBLOCK);
  }
  return outcome;
}

std::vector<std::string> Strings(const Napi::Value& value) {
  std::vector<std::string> strings;
  auto array = value.As<Napi::Array>();
  for (uint32_t i = 0; i < array.Length(); i++) strings.push_back(array.Get(i).ToString());
  return strings;
}

Napi::Value RunHelper(const Napi::CallbackInfo& info, const char* name, Command command) {
  return RunJob(info.Env(), name, [command]() mutable -> Deliver {
    auto outcome = std::make_shared<Outcome>(Execute(command));
    return [outcome](Napi::Env env) -> Napi::Value {
      Napi::Object result = Napi::Object::New(env);
      result.Set("error", Napi::Number::New(env, outcome->error));
      result.Set("syscall", Napi::String::New(env, outcome->syscall));
      result.Set("status", Napi::Number::New(env, outcome->status));
      result.Set("descriptors", Napi::Number::New(env, outcome->descriptors));
      result.Set("stderr", Napi::String::New(env, outcome->messages));
      if (outcome->fd.get() >= 0) result.Set("handle", Handle::Make(env, std::move(outcome->fd)));
      return result;
    };
  });
}

bool Valid(const Napi::CallbackInfo& info) {
  if (info.Length() >= 5 && info[0].IsString() && info[1].IsString() && info[2].IsString() && info[3].IsArray() && info[4].IsNumber()) return true;
  Napi::TypeError::New(info.Env(), "fusermount3: mountpoint, options, program, environment and timeout expected").ThrowAsJavaScriptException();
  return false;
}

// fusermount3_mount(mountpoint, options, program, environment, timeoutMs): a promise of
// { error, syscall, status, descriptors, stderr, handle? }.
Napi::Value FusermountMount(const Napi::CallbackInfo& info) {
  if (!Valid(info)) return info.Env().Undefined();
  Command command;
  command.program = info[2].As<Napi::String>();
  command.arguments = {"fusermount3", "-o", info[1].As<Napi::String>(), "--", info[0].As<Napi::String>()};
  if (info[1].As<Napi::String>().Utf8Value().empty()) command.arguments = {"fusermount3", "--", info[0].As<Napi::String>()};
  command.environment = Strings(info[3]);
  command.environment.push_back("_FUSE_COMMFD=" + std::to_string(kCommFd));
  command.timeout_ms = info[4].As<Napi::Number>().Int32Value();
  return RunHelper(info, "bickford:fusermount3_mount", std::move(command));
}

// fusermount3_unmount(mountpoint, "" | "z", program, environment, timeoutMs): likewise, with no handle.
Napi::Value FusermountUnmount(const Napi::CallbackInfo& info) {
  if (!Valid(info)) return info.Env().Undefined();
  Command command;
  command.program = info[2].As<Napi::String>();
  bool lazy = info[1].As<Napi::String>().Utf8Value() == "z";
  command.arguments = {"fusermount3", lazy ? "-uz" : "-u", "--", info[0].As<Napi::String>()};
  command.environment = Strings(info[3]);
  command.timeout_ms = info[4].As<Napi::Number>().Int32Value();
  return RunHelper(info, "bickford:fusermount3_unmount", std::move(command));
}

}  // namespace

void InitFusermount(Napi::Env env, Napi::Object exports) {
  exports.Set("fusermount3_mount", Napi::Function::New(env, FusermountMount, "fusermount3_mount"));
  exports.Set("fusermount3_unmount", Napi::Function::New(env, FusermountUnmount, "fusermount3_unmount"));
}

}  // namespace bickford
