// The functions that read frames into memory of slots (memory.h) and write frames from it, by the memory's number
// and an offset. They run for every request, so they carry the descriptors with them: nothing is looked up, nothing
// is allocated.
#pragma once

#include <napi.h>

Napi::Value make_channel(const Napi::CallbackInfo& info);
