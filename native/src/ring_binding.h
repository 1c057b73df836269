#pragma once

#include "addon.h"

Napi::Value make_ring(const Napi::CallbackInfo& info);
Napi::Value make_ring_memory(const Napi::CallbackInfo& info);
Napi::Value release_ring_memory(const Napi::CallbackInfo& info);
