#pragma once

#include <napi.h>

Napi::Value sd_notify(const Napi::CallbackInfo& info);
