// Readiness: one uv_poll per handle, on the environment's own loop.
#pragma once

#include "handle.h"

// Stops watching and closes the watcher; whoever waited is told -ECANCELED, from the event loop.
void detach_poller(Handle* handle);

Napi::Value select_read(const Napi::CallbackInfo& info);
Napi::Value select_write(const Napi::CallbackInfo& info);
Napi::Value select_stop(const Napi::CallbackInfo& info);
