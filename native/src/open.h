#pragma once

#include <napi.h>

Napi::Value open_dev_fuse(const Napi::CallbackInfo& info);
Napi::Value sync_init(const Napi::CallbackInfo& info);
