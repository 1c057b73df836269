// mount(2) and umount2(2).
#include <errno.h>
#include <sys/mount.h>

#include <string>

#include "handle.h"
#include "job.h"

namespace bickford {

namespace {

Deliver Status(int status) {
  return [status](Napi::Env env) -> Napi::Value { return Napi::Number::New(env, status); };
}

// mount(source, target, type, flags, data): a promise of 0 or a negative errno.
Napi::Value Mount(const Napi::CallbackInfo& info) {
  Napi::Env env = info.Env();
  if (info.Length() < 5 || !info[0].IsString() || !info[1].IsString() || !info[2].IsString() || !info[3].IsNumber() || !info[4].IsString()) {
    Napi::TypeError::New(env, "mount: source, target, type, flags and data expected").ThrowAsJavaScriptException();
    return env.Undefined();
  }
  std::string source = info[0].As<Napi::String>();
  std::string target = info[1].As<Napi::String>();
  std::string type = info[2].As<Napi::String>();
  unsigned long flags = info[3].As<Napi::Number>().Uint32Value();
  std::string data = info[4].As<Napi::String>();
  return RunJob(env, "bickford:mount", [=]() {
    int failed = ::mount(source.c_str(), target.c_str(), type.c_str(), flags, data.c_str());
    return Status(failed < 0 ? -errno : 0);
  });
}

// unmount(target, flags): a promise of 0 or a negative errno. Flags are those of umount2(2).
Napi::Value Unmount(const Napi::CallbackInfo& info) {
  Napi::Env env = info.Env();
  if (info.Length() < 2 || !info[0].IsString() || !info[1].IsNumber()) {
    Napi::TypeError::New(env, "unmount: target and flags expected").ThrowAsJavaScriptException();
    return env.Undefined();
  }
  std::string target = info[0].As<Napi::String>();
  int flags = info[1].As<Napi::Number>().Int32Value();
  return RunJob(env, "bickford:unmount", [=]() {
    int failed = ::umount2(target.c_str(), flags);
    return Status(failed < 0 ? -errno : 0);
  });
}

}  // namespace

void InitMount(Napi::Env env, Napi::Object exports) {
  exports.Set("mount", Napi::Function::New(env, Mount, "mount"));
  exports.Set("unmount", Napi::Function::New(env, Unmount, "unmount"));
}

}  // namespace bickford
