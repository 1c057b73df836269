#pragma once

#include <napi.h>

Napi::Value pipe_pair(const Napi::CallbackInfo& info);
