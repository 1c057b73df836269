#pragma once

#include <napi.h>

Napi::Value lock_memory(const Napi::CallbackInfo& info);
