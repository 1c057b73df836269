#pragma once

#include <napi.h>

#include <cstddef>
#include <cstdint>

size_t page_size();
uintptr_t round_up(uintptr_t value, size_t unit);

// Private memory, all zero, in huge pages where it is large and the system has some: copies into it and out of it
// meet fewer misses. `resident`: as far as there is memory, it is there at once. Null and errno when there is none.
void* map_memory(size_t size, bool resident);

Napi::Value slot_memory(const Napi::CallbackInfo& info);
Napi::Value allocate_memory(const Napi::CallbackInfo& info);
Napi::Value discard_memory(const Napi::CallbackInfo& info);
Napi::Value lock_memory(const Napi::CallbackInfo& info);
