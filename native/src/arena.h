// Memory for slots: mapped, touched and locked (where allowed) once, then read into and written from
// by offset, with no look-up of a typed array for each call.
//
// Resident memory matters: a process killed while the kernel copies into a page that is not there
// makes that request fail.
#pragma once

#include "addon.h"

struct Arena {
  Addon* addon;
  unsigned char* data;
  size_t size;
  // The external and the ArrayBuffer share the mapping; the last one to go unmaps it.
  int owners;
};

// The arena that `value` is, or null with a TypeError pending.
Arena* unwrap_arena(Addon* addon, napi_value value);

Napi::Value make_arena(const Napi::CallbackInfo& info);
