#include "path.h"

#include <sys/stat.h>

#include <cerrno>
#include <climits>
#include <cstdlib>

#include "arguments.h"
#include "job.h"

namespace {

// Resolves links. The path's last component is only looked at, not entered: a mount that does not
// answer does not matter, as long as it is the last.
struct ResolveJob : Job {
  std::string path;
  std::string resolved;
  int error = 0;

  void run() override {
    char buffer[PATH_MAX];
    if (realpath(path.c_str(), buffer) != nullptr) resolved = buffer;
    else error = errno;
  }
  Napi::Value result(Napi::Env env) override {
    if (error != 0) return Napi::Number::New(env, -error);
    return Napi::String::New(env, resolved);
  }
  void abandon() override {}
};

struct ModeJob : Job {
  std::string path;
  mode_t mode = 0;
  int error = 0;

  void run() override {
    struct stat st;
    if (stat(path.c_str(), &st) == 0) mode = st.st_mode;
    else error = errno;
  }
  Napi::Value result(Napi::Env env) override { return Napi::Number::New(env, error != 0 ? -error : static_cast<int>(mode)); }
  void abandon() override {}
};

template <typename PathJob>
Napi::Value start(const Napi::CallbackInfo& info) {
  auto job = std::make_unique<PathJob>();
  if (!read_string(info, 0, "path", &job->path)) return {};
  return start_job(info.Env(), std::move(job));
}

}  // namespace

// (path), as realpath(3): a promise of the absolute path, or a negative errno.
Napi::Value resolve_path(const Napi::CallbackInfo& info) { return start<ResolveJob>(info); }

// (path): a promise of st_mode, as stat(2) gives it, or a negative errno.
Napi::Value file_mode(const Napi::CallbackInfo& info) { return start<ModeJob>(info); }
