#pragma once

#include "handle.h"

// Two descriptors as an array of two handles.
inline Napi::Value wrap_pair(Napi::Env env, UniqueFd first, UniqueFd second) {
  Addon* addon = Addon::of(env);
  const napi_value one = wrap_handle(addon, std::move(first));
  const napi_value two = one == nullptr ? nullptr : wrap_handle(addon, std::move(second));
  if (two == nullptr) return {};
  Napi::Array pair = Napi::Array::New(env, 2);
  pair.Set(0u, Napi::Value(env, one));
  pair.Set(1u, Napi::Value(env, two));
  return pair;
}
