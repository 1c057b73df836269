#pragma once

#include <napi.h>

Napi::Value fusermount3_mount(const Napi::CallbackInfo& info);
Napi::Value fusermount3_unmount(const Napi::CallbackInfo& info);
