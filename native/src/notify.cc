#include "notify.h"

#include <fcntl.h>
#include <unistd.h>

#include <cerrno>
#include <vector>

#include "arguments.h"
#include "handle.h"
#include "job.h"

namespace {

// A notification's write can wait for locks that unanswered requests hold, so it must not be made by
// the thread that answers them (fs/fuse/dev.c: fuse_notify).
struct NotifyJob : Job {
  // A duplicate: the handle may be closed meanwhile, and its number be another file's.
  UniqueFd fd;
  std::vector<unsigned char> frame;
  int error = 0;

  void run() override {
    const ssize_t count = ::write(fd.get(), frame.data(), frame.size());
    error = count < 0 ? errno : static_cast<size_t>(count) < frame.size() ? EAGAIN : 0;
    // Here, not when the environment comes to it: an open descriptor keeps a connection alive.
    fd.reset(-1);
  }
  Napi::Value result(Napi::Env env) override { return Napi::Number::New(env, -error); }
  void abandon() override {}
};

}  // namespace

// (handle, ...parts): writes one notification on a thread of its own; a promise of 0 or a negative errno.
Napi::Value notify(const Napi::CallbackInfo& info) {
  const Napi::Env env = info.Env();
  Handle* handle = unwrap_handle(Addon::of(env), info[0]);
  if (handle == nullptr) return {};
  auto job = std::make_unique<NotifyJob>();
  for (size_t i = 1; i < info.Length(); ++i) {
    void* data = nullptr;
    size_t size = 0;
    if (!bytes_of(env, info[i], &data, &size)) return {};
    const unsigned char* bytes = static_cast<unsigned char*>(data);
    job->frame.insert(job->frame.end(), bytes, bytes + size);
  }
  int failure = handle->fd.open() ? 0 : EBADF;
  if (failure == 0) {
    job->fd.reset(fcntl(handle->fd.get(), F_DUPFD_CLOEXEC, 0));
    if (!job->fd.open()) failure = errno;
  }
  if (failure == 0) return start_job(env, std::move(job));
  Napi::Promise::Deferred deferred = Napi::Promise::Deferred::New(env);
  deferred.Resolve(Napi::Number::New(env, -failure));
  return deferred.Promise();
}
