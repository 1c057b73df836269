#pragma once

#include <napi.h>

Napi::Value resolve_path(const Napi::CallbackInfo& info);
Napi::Value file_mode(const Napi::CallbackInfo& info);
