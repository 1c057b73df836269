#pragma once

#include <node_api.h>

napi_value pipe_slots(napi_env env, napi_callback_info info);
napi_value splice_file(napi_env env, napi_callback_info info);
napi_value splice_pipe(napi_env env, napi_callback_info info);
napi_value splice_into(napi_env env, napi_callback_info info);
