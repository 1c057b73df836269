#pragma once

#include <napi.h>

Napi::Value mount_filesystem(const Napi::CallbackInfo& info);
Napi::Value mount_with_context(const Napi::CallbackInfo& info);
Napi::Value unmount_filesystem(const Napi::CallbackInfo& info);
Napi::Value unmount_filesystem_now(const Napi::CallbackInfo& info);
