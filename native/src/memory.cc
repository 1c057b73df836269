#include "memory.h"

#include <sys/mman.h>
#include <unistd.h>

#include <cerrno>
#include <cstdint>
#include <cstring>
#include <vector>

#include "addon.h"
#include "arguments.h"

// Linux 5.14; the headers of older libcs lack it.
#ifndef MADV_POPULATE_WRITE
#define MADV_POPULATE_WRITE 23
#endif
// Linux 5.18.
#ifndef MADV_DONTNEED_LOCKED
#define MADV_DONTNEED_LOCKED 24
#endif

namespace {

const size_t huge_page = size_t{2} << 20;

void finalize_memory(napi_env, void* data, void* size) { munmap(data, reinterpret_cast<uintptr_t>(size)); }

// Memory of a slot, until its ArrayBuffer is collected.
struct SlotMemory {
  Addon* addon;
  size_t number;
  size_t mapped;
};

void finalize_slot_memory(napi_env, void* data, void* hint) {
  SlotMemory* const memory = static_cast<SlotMemory*>(hint);
  memory->addon->regions[memory->number] = Region{};
  munmap(data, memory->mapped);
  memory->addon->release();
  delete memory;
}

// A number that no memory has.
size_t free_number(std::vector<Region>* regions) {
  for (size_t number = 0; number < regions->size(); ++number) {
    if ((*regions)[number].data == nullptr) return number;
  }
  regions->emplace_back();
  return regions->size() - 1;
}

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

// (bytes): { memory, number }: an ArrayBuffer, resident and locked if allowed, and the number by which channels
// know it as long as it is referred to; or a negative errno. Resident memory matters: a process killed while the
// kernel copies into a page that is not there makes that request fail.
Napi::Value slot_memory(const Napi::CallbackInfo& info) {
  const Napi::Env env = info.Env();
  uint32_t bytes = 0;
  if (!read_uint32(info, 0, "bytes", &bytes)) return {};
  if (bytes == 0 || bytes > INT32_MAX) return Napi::Number::New(env, -EINVAL);
  const size_t mapped = round_up(bytes, page_size());
  void* data = map_memory(mapped, true);
  if (data == nullptr) return Napi::Number::New(env, -errno);
  // Not allowed beyond RLIMIT_MEMLOCK: it is resident until there is too little memory.
  mlock(data, mapped);
  Addon* addon = Addon::of(env);
  SlotMemory* const owner = new SlotMemory{addon, free_number(&addon->regions), mapped};
  napi_value memory = nullptr;
  if (napi_create_external_arraybuffer(env, data, bytes, finalize_slot_memory, owner, &memory) != napi_ok) {
    delete owner;
    munmap(data, mapped);
    return Napi::Number::New(env, -ENOMEM);
  }
  addon->acquire();
  addon->regions[owner->number] = {static_cast<unsigned char*>(data), bytes};
  Napi::Object result = Napi::Object::New(env);
  result.Set("memory", Napi::Value(env, memory));
  result.Set("number", Napi::Number::New(env, static_cast<double>(owner->number)));
  return result;
}

// (bytes): makes them zero; the pages that they fill go back to the system until they are touched again.
Napi::Value discard_memory(const Napi::CallbackInfo& info) {
  unsigned char* data = nullptr;
  size_t size = 0;
  if (!typed_array_of(info, &data, &size)) return {};
  const uintptr_t from = reinterpret_cast<uintptr_t>(data);
  const uintptr_t first = round_up(from, page_size());
  const uintptr_t last = (from + size) / page_size() * page_size();
  // Locked pages can be given back since Linux 5.18 only.
  const auto give_back = [&](int how) { return madvise(data + (first - from), last - first, how) == 0; };
  if (first >= last || (!give_back(MADV_DONTNEED) && !give_back(MADV_DONTNEED_LOCKED))) {
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
