#include "memory.h"

#include <sys/mman.h>
#include <unistd.h>

#include <cerrno>

#include "arguments.h"

// (bytes): makes the memory resident by writing to each of its pages, and locks it if allowed.
// Returns 0, or the negative errno of mlock; the pages have been touched either way.
Napi::Value lock_memory(const Napi::CallbackInfo& info) {
  const Napi::Env env = info.Env();
  if (!info[0].IsTypedArray()) {
    Napi::TypeError::New(env, "expected a typed array").ThrowAsJavaScriptException();
    return {};
  }
  void* data = nullptr;
  size_t size = 0;
  if (!bytes_of(env, info[0], &data, &size)) return {};
  if (size == 0) return Napi::Number::New(env, 0);
  const size_t page = static_cast<size_t>(sysconf(_SC_PAGESIZE));
  volatile unsigned char* bytes = static_cast<unsigned char*>(data);
  for (size_t at = 0; at < size; at += page) bytes[at] = bytes[at];
  bytes[size - 1] = bytes[size - 1];
  return Napi::Number::New(env, mlock(data, size) == 0 ? 0 : -errno);
}
