#include "memory.h"

#include <sys/mman.h>
#include <unistd.h>

#include <cerrno>
#include <cstdint>
#include <cstring>

#include "arguments.h"

// Linux 5.14; the headers of older libcs lack it.
#ifndef MADV_POPULATE_WRITE
#define MADV_POPULATE_WRITE 23
#endif

namespace {

const size_t huge_page = size_t{2} << 20;

void finalize_memory(napi_env, void* data, void* size) { munmap(data, reinterpret_cast<uintptr_t>(size)); }

bool typed_array_of(const Napi::CallbackInfo& info, unsigned char** data, size_t* size) {
  void* bytes = nullptr;
  if (info[0].IsTypedArray()) {
    if (!bytes_of(info.Env(), info[0], &bytes, size)) return false;
    *data = static_cast<unsigned char*>(bytes);
    return true;
  }
  Napi::TypeError::New(info.Env(), "expected a typed array").ThrowAsJavaScriptException();
  return false;
}

}  // namespace

size_t page_size() { return static_cast<size_t>(sysconf(_SC_PAGESIZE)); }
uintptr_t round_up(uintptr_t value, size_t unit) { return (value + unit - 1) / unit * unit; }

void* map_memory(size_t size, bool resident) {
  const size_t slack = size < huge_page ? 0 : huge_page;
  void* mapped = mmap(nullptr, size + slack, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS | (slack == 0 && resident ? MAP_POPULATE : 0), -1, 0);
  if (mapped == MAP_FAILED) return nullptr;
  if (slack == 0) return mapped;
  // They begin at their own multiples only: what lies before and behind is given back.
  unsigned char* const from = static_cast<unsigned char*>(mapped);
  unsigned char* const data = reinterpret_cast<unsigned char*>(round_up(reinterpret_cast<uintptr_t>(from), huge_page));
  unsigned char* const end = data + round_up(size, page_size());
  if (data > from) munmap(from, static_cast<size_t>(data - from));
  if (from + size + slack > end) munmap(end, static_cast<size_t>(from + size + slack - end));
  madvise(data, size, MADV_HUGEPAGE);
  // What is not there yet comes when it is touched.
  if (resident) madvise(data, size, MADV_POPULATE_WRITE);
  return data;
}

// (bytes): an ArrayBuffer, all zero, whose memory is there when it is touched; or a negative errno.
Napi::Value allocate_memory(const Napi::CallbackInfo& info) {
  const Napi::Env env = info.Env();
  uint32_t bytes = 0;
  if (!read_uint32(info, 0, "bytes", &bytes)) return {};
  if (bytes == 0) return Napi::Number::New(env, -EINVAL);
  const size_t size = round_up(bytes, page_size());
  void* data = map_memory(size, false);
  if (data == nullptr) return Napi::Number::New(env, -errno);
  napi_value memory = nullptr;
  if (napi_create_external_arraybuffer(env, data, bytes, finalize_memory, reinterpret_cast<void*>(size), &memory) != napi_ok) {
    munmap(data, size);
    return Napi::Number::New(env, -ENOMEM);
  }
  return Napi::Value(env, memory);
}

// (bytes): makes them zero; the pages that they fill go back to the system until they are touched again.
Napi::Value discard_memory(const Napi::CallbackInfo& info) {
  unsigned char* data = nullptr;
  size_t size = 0;
  if (!typed_array_of(info, &data, &size)) return {};
  const uintptr_t from = reinterpret_cast<uintptr_t>(data);
  const uintptr_t first = round_up(from, page_size());
  const uintptr_t last = (from + size) / page_size() * page_size();
  // Locked pages cannot be given back.
  if (first >= last || madvise(data + (first - from), last - first, MADV_DONTNEED) != 0) {
    memset(data, 0, size);
  } else {
    memset(data, 0, first - from);
    memset(data + (last - from), 0, from + size - last);
  }
  return info.Env().Undefined();
}

// (bytes): makes the memory resident by writing to each of its pages, and locks it if allowed.
// Returns 0, or the negative errno of mlock; the pages have been touched either way.
Napi::Value lock_memory(const Napi::CallbackInfo& info) {
  const Napi::Env env = info.Env();
  unsigned char* data = nullptr;
  size_t size = 0;
  if (!typed_array_of(info, &data, &size)) return {};
  if (size == 0) return Napi::Number::New(env, 0);
  volatile unsigned char* bytes = data;
  for (size_t at = 0; at < size; at += page_size()) bytes[at] = bytes[at];
  bytes[size - 1] = bytes[size - 1];
  return Napi::Number::New(env, mlock(data, size) == 0 ? 0 : -errno);
}
