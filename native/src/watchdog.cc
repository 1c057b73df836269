// A thread that looks after the JavaScript thread: while that waits inside a call into a mount that it
// serves itself, nobody answers, and nothing in JavaScript can notice.
#include "watchdog.h"

#include <fcntl.h>
#include <pthread.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <chrono>
#include <condition_variable>
#include <mutex>
#include <thread>

#include "arguments.h"
#include "unique_fd.h"

namespace {

// Where a thread sleeps whose FUSE request has not been answered (fs/fuse/dev.c).
constexpr char waiting_for_answer[] = "request_wait_answer";
constexpr auto interval = std::chrono::milliseconds(250);

struct Watch {
  std::mutex mutex;
  std::condition_variable changed;
  bool stopped = false;
  std::thread thread;

  std::string wchan_file;
  // Of the connection, in fusectl.
  std::string waiting_file;
  std::string abort_file;
  std::string message;
  uint32_t patience_ms = 0;

  bool deadlocked() const;
  void run();
  void stop();
};

std::string read_file(const std::string& path) {
  const UniqueFd fd(open(path.c_str(), O_RDONLY | O_CLOEXEC));
  char buffer[256];
  const ssize_t count = fd.open() ? read(fd.get(), buffer, sizeof buffer) : -1;
  return count > 0 ? std::string(buffer, static_cast<size_t>(count)) : std::string();
}

bool Watch::deadlocked() const {
  if (read_file(wchan_file).compare(0, sizeof waiting_for_answer - 1, waiting_for_answer) != 0) return false;
  const std::string waiting = read_file(waiting_file);
  return !waiting.empty() && waiting[0] != '0';
}

void Watch::run() {
  pthread_setname_np(pthread_self(), "bickford-watch");
  std::unique_lock<std::mutex> lock(mutex);
  std::chrono::milliseconds stuck(0);
  while (!changed.wait_for(lock, interval, [this] { return stopped; })) {
    stuck = deadlocked() ? stuck + interval : std::chrono::milliseconds(0);
    if (stuck.count() < patience_ms) continue;
    // Whatever comes of it, it has been said.
    const ssize_t said = write(STDERR_FILENO, message.data(), message.size());
    static_cast<void>(said);
    const UniqueFd fd(open(abort_file.c_str(), O_WRONLY | O_CLOEXEC));
    if (fd.open()) {
      const ssize_t aborted = write(fd.get(), "1", 1);
      static_cast<void>(aborted);
    }
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

// (connection, message, patience): watches the calling thread. When it has waited for `patience`
// milliseconds for an answer, while requests wait on the connection in the fusectl folder `connection`,
// writes `message` to stderr and aborts the connection. Returns a function that ends it.
Napi::Value watchdog(const Napi::CallbackInfo& info) {
  const Napi::Env env = info.Env();
  std::string connection;
  auto watch = std::make_unique<Watch>();
  if (!read_string(info, 0, "connection", &connection) || !read_string(info, 1, "message", &watch->message)) return {};
  if (!read_uint32(info, 2, "patience", &watch->patience_ms)) return {};
  watch->wchan_file = "/proc/self/task/" + std::to_string(syscall(SYS_gettid)) + "/wchan";
  watch->waiting_file = connection + "/waiting";
  watch->abort_file = connection + "/abort";
  napi_value function = nullptr;
  if (napi_create_function(env, "stop", NAPI_AUTO_LENGTH, stop, watch.get(), &function) != napi_ok) return {};
  if (napi_add_finalizer(env, function, watch.get(), finalize, nullptr, nullptr) != napi_ok) return {};
  Watch* running = watch.release();
  running->thread = std::thread(&Watch::run, running);
  return Napi::Value(env, function);
}
