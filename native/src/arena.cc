#include "arena.h"

#include <sys/mman.h>

#include <cerrno>

#include "arguments.h"

namespace {

void disown(Arena* arena) {
  if (--arena->owners > 0) return;
  munmap(arena->data, arena->size);
  arena->addon->release();
  delete arena;
}

void finalize_external(napi_env, void* data, void*) {
  Arena* arena = static_cast<Arena*>(data);
  arena->addon->arenas.erase(arena);
  if (arena->addon->last_arena == arena) arena->addon->last_arena = nullptr;
  disown(arena);
}

void finalize_buffer(napi_env, void*, void* hint) { disown(static_cast<Arena*>(hint)); }

}  // namespace

Arena* unwrap_arena(Addon* addon, napi_value value) {
  void* data = nullptr;
  if (napi_get_value_external(addon->env, value, &data) == napi_ok && data != nullptr) {
    if (data == addon->last_arena) return static_cast<Arena*>(data);
    if (addon->arenas.count(data) != 0) {
      addon->last_arena = data;
      return static_cast<Arena*>(data);
    }
  }
  napi_throw_type_error(addon->env, nullptr, "expected an arena");
  return nullptr;
}

// (bytes): [arena, ArrayBuffer, locked], or a negative errno.
Napi::Value make_arena(const Napi::CallbackInfo& info) {
  const Napi::Env env = info.Env();
  Addon* addon = Addon::of(env);
  uint32_t size = 0;
  if (!read_uint32(info, 0, "bytes", &size)) return {};
  if (size == 0) return Napi::Number::New(env, -EINVAL);
  void* data = mmap(nullptr, size, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS | MAP_POPULATE, -1, 0);
  if (data == MAP_FAILED) return Napi::Number::New(env, -errno);
  const bool locked = mlock(data, size) == 0;
  Arena* arena = new Arena{addon, static_cast<unsigned char*>(data), size, 2};
  addon->acquire();
  napi_value external = nullptr;
  if (napi_create_external(env, arena, finalize_external, nullptr, &external) != napi_ok) {
    arena->owners = 1;
    disown(arena);
    return Napi::Number::New(env, -ENOMEM);
  }
  addon->arenas.insert(arena);
  napi_value buffer = nullptr;
  if (napi_create_external_arraybuffer(env, data, size, finalize_buffer, arena, &buffer) != napi_ok) {
    disown(arena);
    return Napi::Number::New(env, -ENOMEM);
  }
  Napi::Array result = Napi::Array::New(env, 3);
  result.Set(0u, Napi::Value(env, external));
  result.Set(1u, Napi::Value(env, buffer));
  result.Set(2u, Napi::Boolean::New(env, locked));
  return result;
}
