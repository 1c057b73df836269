// What answers requests, as JavaScript hands it from what made it to a ring: an external.
#pragma once

#include <napi.h>

#include <memory>

#include "request_answerer.h"

// Null when the environment cannot make one.
napi_value wrap_answerer(napi_env env, std::shared_ptr<RequestAnswerer> answerer);

// Null for what is none.
std::shared_ptr<RequestAnswerer> unwrap_answerer(napi_env env, napi_value value);
