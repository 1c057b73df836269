#pragma once

#include <napi.h>

Napi::Value notify(const Napi::CallbackInfo& info);
