// A thread that looks after the JavaScript thread: while that waits inside a call into a mount that it
// serves itself, nobody answers, and nothing in JavaScript can notice.
#include "watchdog.h"

#include <dirent.h>
#include <fcntl.h>
#include <pthread.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <chrono>
#include <condition_variable>
#include <cstdio>
#include <cstring>
#include <mutex>
#include <set>
#include <thread>

#include "arguments.h"
#include "blocked_call.h"
#include "read_file.h"
#include "unique_fd.h"

namespace {

// Names as they may be written to a terminal: bytes that are no plain character as \xNN.
std::string printable(const std::string& text) {
  static const char digits[] = "0123456789abcdef";
  std::string shown;
  for (const unsigned char byte : text) {
    if (byte == '\\') shown += "\\\\";
    else if (byte >= 0x20 && byte < 0x7f) shown += static_cast<char>(byte);
    else shown += {'\\', 'x', digits[byte >> 4], digits[byte & 15]};
  }
  return shown;
}

// Where a thread sleeps whose FUSE request has not been answered, or has found no room, as before INIT (fs/fuse/dev.c).
constexpr const char* fuse_waits[] = {"request_wait_answer", "fuse_get_req"};
constexpr auto interval = std::chrono::milliseconds(250);

struct Watch {
  std::mutex mutex;
  std::condition_variable changed;
  bool stopped = false;
  std::thread thread;

  pid_t watched = 0;
  // Of the mount, `MAJOR:MINOR`, and its number in fusectl's folder `connections`.
  std::string device;
  std::string connections;
  std::string number;
  std::string message;
  uint32_t patience_ms = 0;

  // Other connections on which calls have waited all the time that the thread has.
  std::set<std::string> others_waiting;

  std::string connection_file(const char* name) const { return connections + "/" + number + "/" + name; }
  std::string sleeping_in() const;
  bool is_waiting(const std::string& connection) const;
  std::set<std::string> others() const;
  bool suspicious(bool first);
  std::string deadlock() const;
  void abort(const std::string& seen) const;
  void run();
  void stop();
};

// The kernel's function that the thread sleeps in, if it is one of FUSE's.
std::string Watch::sleeping_in() const {
  const std::string function = read_file("/proc/self/task/" + std::to_string(watched) + "/wchan");
  for (const char* wait : fuse_waits) {
    if (function.compare(0, strlen(wait), wait) == 0) return wait;
  }
  return {};
}

// Whether calls wait on a connection; also when that cannot be read.
bool Watch::is_waiting(const std::string& connection) const {
  const std::string waiting = read_file(connections + "/" + connection + "/waiting");
  return waiting.empty() || waiting[0] != '0';
}

// The other connections of this machine on which calls wait.
std::set<std::string> Watch::others() const {
  std::set<std::string> found;
  DIR* directory = opendir(connections.c_str());
  if (directory == nullptr) return found;
  while (const struct dirent* entry = readdir(directory)) {
    if (entry->d_name[0] != '.' && number != entry->d_name && is_waiting(entry->d_name)) found.insert(entry->d_name);
  }
  closedir(directory);
  return found;
}

// Whether the thread waits for FUSE while calls into the mount wait; keeps account of what else it may wait for.
bool Watch::suspicious(bool first) {
  if (sleeping_in().empty()) return false;
  const std::string waiting = read_file(connection_file("waiting"));
  if (waiting.empty() || waiting[0] == '0') return false;
  const std::set<std::string> now = others();
  if (first) {
    others_waiting = now;
  } else {
    for (auto it = others_waiting.begin(); it != others_waiting.end();) it = now.count(*it) > 0 ? std::next(it) : others_waiting.erase(it);
  }
  return true;
}

// What was seen of a thread that waits for itself; empty when it may wait for somebody else.
std::string Watch::deadlock() const {
  const std::string function = sleeping_in();
  const BlockedCall call = find_blocked_call(watched, device);
  if (function.empty() || call.place == CallPlace::elsewhere) return {};
  if (call.place == CallPlace::unknown && !others_waiting.empty()) return {};
  const std::string what = call.description.empty() ? "a system call" : printable(call.description);
  return what + " has waited in " + function + " for " + std::to_string(patience_ms / 1000) + "." + std::to_string(patience_ms / 100 % 10) + " s";
}

void Watch::abort(const std::string& seen) const {
  const std::string line = "bickford: " + message + " Seen: " + seen + ".\n";
  // Whatever comes of it, it has been said.
  const ssize_t said = write(STDERR_FILENO, line.data(), line.size());
  static_cast<void>(said);
  const UniqueFd fd(open(connection_file("abort").c_str(), O_WRONLY | O_CLOEXEC));
  if (!fd.open()) return;
  const ssize_t aborted = write(fd.get(), "1", 1);
  static_cast<void>(aborted);
}

void Watch::run() {
  pthread_setname_np(pthread_self(), "bickford-watch");
  std::unique_lock<std::mutex> lock(mutex);
  std::chrono::milliseconds stuck(0);
  while (!changed.wait_for(lock, interval, [this] { return stopped; })) {
    stuck = suspicious(stuck.count() == 0) ? stuck + interval : std::chrono::milliseconds(0);
    if (stuck.count() < patience_ms) continue;
    const std::string seen = deadlock();
    if (seen.empty()) continue;
    abort(seen);
    return;
  }
}

void Watch::stop() {
  {
    const std::lock_guard<std::mutex> lock(mutex);
    stopped = true;
  }
  changed.notify_all();
  if (thread.joinable()) thread.join();
}

void finalize(napi_env, void* data, void*) {
  Watch* watch = static_cast<Watch*>(data);
  watch->stop();
  delete watch;
}

napi_value stop(napi_env env, napi_callback_info info) {
  void* data = nullptr;
  if (napi_get_cb_info(env, info, nullptr, nullptr, nullptr, &data) == napi_ok) static_cast<Watch*>(data)->stop();
  return nullptr;
}

}  // namespace

// (connections, device, message, patience): watches the calling thread. When it has waited for `patience` milliseconds
// in a call into the mount of `device` (`MAJOR:MINOR`), writes `message` and what was seen to stderr and aborts the
// connection, through fusectl's folder `connections`. A call that cannot be told is taken for one into the mount only
// when calls wait for no other FUSE filesystem. Returns a function that ends it.
Napi::Value watchdog(const Napi::CallbackInfo& info) {
  const Napi::Env env = info.Env();
  auto watch = std::make_unique<Watch>();
  if (!read_string(info, 0, "connections", &watch->connections) || !read_string(info, 1, "device", &watch->device)) return {};
  if (!read_string(info, 2, "message", &watch->message) || !read_uint32(info, 3, "patience", &watch->patience_ms)) return {};
  watch->watched = static_cast<pid_t>(syscall(SYS_gettid));
  watch->number = watch->device.substr(watch->device.find(':') + 1);
  napi_value function = nullptr;
  if (napi_create_function(env, "stop", NAPI_AUTO_LENGTH, stop, watch.get(), &function) != napi_ok) return {};
  if (napi_add_finalizer(env, function, watch.get(), finalize, nullptr, nullptr) != napi_ok) return {};
  Watch* running = watch.release();
  running->thread = std::thread(&Watch::run, running);
  return Napi::Value(env, function);
}
