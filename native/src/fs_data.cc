// What is in files and folders.
#include <dirent.h>
#include <fcntl.h>
#include <sys/syscall.h>
#include <sys/uio.h>
#include <unistd.h>

#include <cerrno>
#include <cstdio>

#include "fs_call.h"
#include "job.h"
#include "newer_calls.h"
#include "unique_fd.h"

namespace {

// (file, flags, mode): another descriptor of the same file. Never waits: -EAGAIN while another program holds a lease.
napi_value open_again(napi_env env, napi_callback_info info) {
  FsCall call(env, info);
  const int file = call.integer(0);
  const int flags = call.integer(1);
  const int mode = call.integer(2);
  if (!call.ok()) return nullptr;
  char path[32];
  snprintf(path, sizeof path, "/proc/self/fd/%d", file);
  return call.result(::open(path, flags | O_NONBLOCK | O_CLOEXEC, static_cast<mode_t>(mode) & 07777));
}

// (descriptor)
napi_value close_file(napi_env env, napi_callback_info info) {
  FsCall call(env, info);
  const int file = call.integer(0);
  if (!call.ok()) return nullptr;
  return call.result(::close(file));
}

// (descriptor): another one of the same open file, the lowest number that is free.
napi_value duplicate(napi_env env, napi_callback_info info) {
  FsCall call(env, info);
  const int file = call.integer(0);
  if (!call.ok()) return nullptr;
  return call.result(fcntl(file, F_DUPFD_CLOEXEC, 0));
}

// (file, from, offset, flags): bytes written at an offset of the file; flags as pwritev2(2).
napi_value write_at(napi_env env, napi_callback_info info) {
  FsCall call(env, info);
  const int file = call.integer(0);
  size_t size = 0;
  unsigned char* from = call.bytes(1, &size);
  const int64_t offset = call.wide(2);
  const int flags = call.integer(3);
  if (!call.ok()) return nullptr;
  size_t done = 0;
  while (done < size) {
    const struct iovec part = {from + done, size - done};
    const ssize_t count = call_pwritev2(file, &part, 1, offset + static_cast<int64_t>(done), flags);
    if (count < 0 && errno == EINTR) continue;
    if (count < 0) return done > 0 ? call.result(static_cast<int64_t>(done)) : call.error(errno);
    // A file that takes nothing more and does not say why.
    if (count == 0) break;
    done += static_cast<size_t>(count);
  }
  return call.result(static_cast<int64_t>(done));
}

// (file, mode, offset, length)
napi_value allocate(napi_env env, napi_callback_info info) {
  FsCall call(env, info);
  const int file = call.integer(0);
  const int mode = call.integer(1);
  const int64_t offset = call.wide(2);
  const int64_t length = call.wide(3);
  if (!call.ok()) return nullptr;
  return call.result(fallocate(file, mode, offset, length));
}

// (file, offset, whence): the offset found.
napi_value seek(napi_env env, napi_callback_info info) {
  FsCall call(env, info);
  const int file = call.integer(0);
  const int64_t offset = call.wide(1);
  const int whence = call.integer(2);
  if (!call.ok()) return nullptr;
  return call.result(lseek(file, offset, whence));
}

// (folder, position, into): bytes of struct linux_dirent64 from a position on; a negative position: from where it is.
napi_value list(napi_env env, napi_callback_info info) {
  FsCall call(env, info);
  const int folder = call.integer(0);
  const int64_t position = call.wide(1);
  size_t size = 0;
  unsigned char* into = call.bytes(2, &size);
  if (!call.ok()) return nullptr;
  if (position >= 0 && lseek(folder, position, SEEK_SET) < 0) return call.error(errno);
  return call.result(syscall(SYS_getdents64, folder, into, size));
}

struct OpenJob : Job {
  // A duplicate: the descriptor may be closed meanwhile, and its number be another file's.
  UniqueFd file;
  UniqueFd opened;
  int flags = 0;
  int error = 0;

  void run() override {
    char path[32];
    snprintf(path, sizeof path, "/proc/self/fd/%d", file.get());
    opened.reset(::open(path, flags | O_CLOEXEC));
    if (!opened.open()) error = errno;
    file.reset(-1);
  }
  Napi::Value result(Napi::Env env) override { return Napi::Number::New(env, error != 0 ? -error : opened.take()); }
  void abandon() override {}
};

struct SyncJob : Job {
  // A duplicate: the descriptor may be closed meanwhile, and its number be another file's.
  UniqueFd fd;
  bool data_only = false;
  int error = 0;

  void run() override {
    if ((data_only ? fdatasync(fd.get()) : fsync(fd.get())) != 0) error = errno;
    fd.reset(-1);
  }
  Napi::Value result(Napi::Env env) override { return Napi::Number::New(env, -error); }
  void abandon() override {}
};

struct SyncAllJob : SyncJob {
  void run() override {
    if (syncfs(fd.get()) != 0) error = errno;
    fd.reset(-1);
  }
};

struct CopyJob : Job {
  UniqueFd from;
  UniqueFd to;
  off_t read_at = 0;
  off_t write_at = 0;
  size_t length = 0;
  ssize_t copied = 0;

  void run() override {
    copied = copy_file_range(from.get(), &read_at, to.get(), &write_at, length, 0);
    if (copied < 0) copied = -errno;
    from.reset(-1);
    to.reset(-1);
  }
  Napi::Value result(Napi::Env env) override { return Napi::Number::New(env, static_cast<double>(copied)); }
  void abandon() override {}
};

napi_value promise_of(FsCall& call, int error) {
  napi_deferred deferred = nullptr;
  napi_value promise = nullptr;
  if (napi_create_promise(call.env(), &deferred, &promise) != napi_ok) return nullptr;
  napi_resolve_deferred(call.env(), deferred, call.error(error));
  return promise;
}

// (file, flags): as `open_again`, waiting for what there is to wait for; a promise of a descriptor or a negative errno.
napi_value open_waiting(napi_env env, napi_callback_info info) {
  FsCall call(env, info);
  const int file = call.integer(0);
  const int flags = call.integer(1);
  if (!call.ok()) return nullptr;
  auto job = std::make_unique<OpenJob>();
  job->flags = flags;
  job->file.reset(fcntl(file, F_DUPFD_CLOEXEC, 0));
  if (!job->file.open()) return promise_of(call, errno);
  return start_job(env, std::move(job));
}

// (file, kind): 0 fsync, 1 fdatasync, 2 syncfs; a promise of 0 or a negative errno.
napi_value synchronize(napi_env env, napi_callback_info info) {
  FsCall call(env, info);
  const int file = call.integer(0);
  const int kind = call.integer(1);
  if (!call.ok()) return nullptr;
  std::unique_ptr<SyncJob> job = kind == 2 ? std::make_unique<SyncAllJob>() : std::make_unique<SyncJob>();
  job->fd.reset(fcntl(file, F_DUPFD_CLOEXEC, 0));
  job->data_only = kind == 1;
  if (!job->fd.open()) return promise_of(call, errno);
  return start_job(env, std::move(job));
}

// (from, offset, to, offset, length): a promise of the bytes copied, or a negative errno.
napi_value copy_range(napi_env env, napi_callback_info info) {
  FsCall call(env, info);
  auto job = std::make_unique<CopyJob>();
  const int from = call.integer(0);
  job->read_at = call.wide(1);
  const int to = call.integer(2);
  job->write_at = call.wide(3);
  job->length = static_cast<size_t>(call.wide(4));
  if (!call.ok()) return nullptr;
  job->from.reset(fcntl(from, F_DUPFD_CLOEXEC, 0));
  job->to.reset(fcntl(to, F_DUPFD_CLOEXEC, 0));
  if (!job->from.open() || !job->to.open()) return promise_of(call, errno);
  return start_job(env, std::move(job));
}

}  // namespace

const FsFunction fs_data_functions[] = {
    {"fs_open", open_again}, {"fs_open_waiting", open_waiting}, {"fs_close", close_file}, {"fs_duplicate", duplicate}, {"fs_write", write_at},   {"fs_fallocate", allocate},
    {"fs_seek", seek},       {"fs_list", list},        {"fs_sync", synchronize}, {"fs_copy", copy_range},
    {nullptr, nullptr},
};
