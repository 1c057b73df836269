// Memory that stays resident: a process killed while the kernel copies through an absent page fails that request.
#include <errno.h>
#include <sys/mman.h>

#include "handle.h"

namespace bickford {

namespace {

// lock_memory(bytes): touches every page and locks them where RLIMIT_MEMLOCK allows; 0 or a negative errno.
Napi::Value LockMemory(const Napi::CallbackInfo& info) {
  Napi::Env env = info.Env();
  if (info.Length() < 1 || !info[0].IsTypedArray()) {
    Napi::TypeError::New(env, "lock_memory: a Uint8Array expected").ThrowAsJavaScriptException();
    return env.Undefined();
  }
  auto array = info[0].As<Napi::Uint8Array>();
  volatile uint8_t* bytes = array.Data();
  for (size_t at = 0; at < array.ByteLength(); at += 4096) bytes[at] = bytes[at];
  int failed = ::mlock(array.Data(), array.ByteLength());
  return Napi::Number::New(env, failed < 0 ? -errno : 0);
}

}  // namespace

void InitMemory(Napi::Env env, Napi::Object exports) {
  exports.Set("lock_memory", Napi::Function::New(env, LockMemory, "lock_memory"));
}

}  // namespace bickford
