#pragma once

#include <napi.h>

Napi::Value attach_files(const Napi::CallbackInfo& info);
