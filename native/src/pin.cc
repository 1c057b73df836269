// Threads on CPUs of their own: those that serve a CPU's queue, and one that calls into a mount from there.
#include "pin.h"

#include <sched.h>
#include <sys/vfs.h>

#include <cerrno>
#include <string>

#include "arguments.h"
#include "job.h"

namespace {

// 0 or a negative errno.
int pin_to(const uint16_t* cpus, size_t count) {
  cpu_set_t* const set = CPU_ALLOC(UINT16_MAX + 1);
  if (set == nullptr) return -ENOMEM;
  const size_t size = CPU_ALLOC_SIZE(UINT16_MAX + 1);
  CPU_ZERO_S(size, set);
  for (size_t i = 0; i < count; ++i) CPU_SET_S(cpus[i], size, set);
  const int result = sched_setaffinity(0, size, set) == 0 ? 0 : -errno;
  CPU_FREE(set);
  return result;
}

// Calls statfs(2) from a CPU: the mount's server is asked by that CPU's queue.
class Nudge : public Job {
 public:
  Nudge(uint16_t cpu, std::string path) : cpu_(cpu), path_(std::move(path)) {}
  void run() override {
    result_ = pin_to(&cpu_, 1);
    struct statfs answer;
    if (result_ == 0 && statfs(path_.c_str(), &answer) != 0) result_ = -errno;
  }
  Napi::Value result(Napi::Env env) override { return Napi::Number::New(env, result_); }
  void abandon() override {}

 private:
  uint16_t cpu_;
  std::string path_;
  int result_ = 0;
};

}  // namespace

// (cpus): the calling thread runs on these alone. 0 or a negative errno.
Napi::Value pin_thread(const Napi::CallbackInfo& info) {
  const Napi::Env env = info.Env();
  if (!info[0].IsTypedArray() || info[0].As<Napi::TypedArray>().TypedArrayType() != napi_uint16_array) {
    Napi::TypeError::New(env, "expected a Uint16Array").ThrowAsJavaScriptException();
    return {};
  }
  const Napi::Uint16Array cpus = info[0].As<Napi::Uint16Array>();
  return Napi::Number::New(env, pin_to(cpus.Data(), cpus.ElementLength()));
}

// (cpu, path): a promise of 0 or a negative errno, when the filesystem has answered.
Napi::Value nudge(const Napi::CallbackInfo& info) {
  const Napi::Env env = info.Env();
  uint32_t cpu = 0;
  if (!read_uint32(info, 0, "cpu", &cpu)) return {};
  if (!info[1].IsString()) {
    Napi::TypeError::New(env, "expected a CPU and a path").ThrowAsJavaScriptException();
    return {};
  }
  return start_job(env, std::make_unique<Nudge>(static_cast<uint16_t>(cpu), info[1].As<Napi::String>().Utf8Value()));
}
