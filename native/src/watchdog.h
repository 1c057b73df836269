#pragma once

#include <napi.h>

Napi::Value watchdog(const Napi::CallbackInfo& info);
