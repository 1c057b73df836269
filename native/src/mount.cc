#include "mount.h"

#include <sys/mount.h>

#include <cerrno>

#include "arguments.h"
#include "job.h"
#include "mount_context.h"

namespace {

struct MountJob : Job {
  std::string source;
  std::string target;
  std::string type;
  std::string data;
  unsigned long flags = 0;
  int error = 0;

  void run() override { error = ::mount(source.c_str(), target.c_str(), type.c_str(), flags, data.c_str()) == 0 ? 0 : errno; }
  Napi::Value result(Napi::Env env) override { return Napi::Number::New(env, -error); }
  void abandon() override {
    if (error == 0) umount2(target.c_str(), MNT_DETACH);
  }
};

struct ContextMountJob : Job {
  ContextMount mount;
  std::string log;
  int error = 0;

  void run() override { error = mount_by_context(mount, &log); }
  Napi::Value result(Napi::Env env) override {
    Napi::Object outcome = Napi::Object::New(env);
    outcome.Set("error", Napi::Number::New(env, -error));
    outcome.Set("log", Napi::String::New(env, log));
    return outcome;
  }
  void abandon() override {
    if (error == 0) umount2(mount.target.c_str(), MNT_DETACH);
  }
};

struct UnmountJob : Job {
  std::string target;
  int flags = 0;
  int error = 0;

  void run() override { error = umount2(target.c_str(), flags) == 0 ? 0 : errno; }
  Napi::Value result(Napi::Env env) override { return Napi::Number::New(env, -error); }
  void abandon() override {}
};

}  // namespace

// (source, target, type, flags, data), as mount(2): a promise of 0 or a negative errno.
Napi::Value mount_filesystem(const Napi::CallbackInfo& info) {
  auto job = std::make_unique<MountJob>();
  uint32_t flags = 0;
  if (!read_string(info, 0, "source", &job->source) || !read_string(info, 1, "target", &job->target)) return {};
  if (!read_string(info, 2, "type", &job->type) || !read_uint32(info, 3, "flags", &flags)) return {};
  if (!read_string(info, 4, "data", &job->data)) return {};
  job->flags = flags;
  return start_job(info.Env(), std::move(job));
}

// (source, target, type, flags, options): a promise of { error, log }. `options` is an array of `KEY` and `KEY=VALUE`.
Napi::Value mount_with_context(const Napi::CallbackInfo& info) {
  auto job = std::make_unique<ContextMountJob>();
  uint32_t flags = 0;
  ContextMount& mount = job->mount;
  if (!read_string(info, 0, "source", &mount.source) || !read_string(info, 1, "target", &mount.target)) return {};
  if (!read_string(info, 2, "type", &mount.type) || !read_uint32(info, 3, "flags", &flags)) return {};
  if (!read_strings(info, 4, "options", &mount.options)) return {};
  mount.flags = flags;
  return start_job(info.Env(), std::move(job));
}

// (target, flags), as umount2(2): a promise of 0 or a negative errno.
Napi::Value unmount_filesystem(const Napi::CallbackInfo& info) {
  auto job = std::make_unique<UnmountJob>();
  uint32_t flags = 0;
  if (!read_string(info, 0, "target", &job->target) || !read_uint32(info, 1, "flags", &flags)) return {};
  job->flags = static_cast<int>(flags);
  return start_job(info.Env(), std::move(job));
}

// As `unmount_filesystem`, on this thread: 0 or a negative errno. For the end of the process, which waits for no promise.
Napi::Value unmount_filesystem_now(const Napi::CallbackInfo& info) {
  std::string target;
  uint32_t flags = 0;
  if (!read_string(info, 0, "target", &target) || !read_uint32(info, 1, "flags", &flags)) return {};
  const int error = umount2(target.c_str(), static_cast<int>(flags)) == 0 ? 0 : errno;
  return Napi::Number::New(info.Env(), -error);
}
