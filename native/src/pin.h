#pragma once

#include <napi.h>

Napi::Value pin_thread(const Napi::CallbackInfo& info);
Napi::Value nudge(const Napi::CallbackInfo& info);
