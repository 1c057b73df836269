#pragma once

#include <napi.h>

Napi::Value make_socketpair(const Napi::CallbackInfo& info);
