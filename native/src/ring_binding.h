#pragma once

#include "addon.h"

Napi::Value make_ring(const Napi::CallbackInfo& info);
