#pragma once

#include <napi.h>

Napi::Value from_fd(const Napi::CallbackInfo& info);
