// Memory for slots, and the two functions that read frames into it and write frames from it by offset.
// They run for every request, so they carry the descriptors and the memory with them: nothing is looked
// up, nothing is allocated.
//
// The memory is mapped, touched and locked (where allowed) once. Resident memory matters: a process
// killed while the kernel copies into a page that is not there makes that request fail.
#pragma once

#include <napi.h>

Napi::Value make_channel(const Napi::CallbackInfo& info);
