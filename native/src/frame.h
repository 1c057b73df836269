// Frames in and out. These run for every request, so they use Node-API directly and allocate nothing.
#pragma once

#include <node_api.h>

napi_value read_frame(napi_env env, napi_callback_info info);
napi_value message_length(napi_env env, napi_callback_info info);
napi_value write_frame(napi_env env, napi_callback_info info);
napi_value read_range(napi_env env, napi_callback_info info);
napi_value write_some(napi_env env, napi_callback_info info);
