// System calls that may block, each on a thread of its own: neither JavaScript's nor libuv's pool.
#pragma once
#include <napi.h>

#include <functional>

namespace bickford {

// Made on the worker thread, turned into a JavaScript value on the environment's own.
using Deliver = std::function<Napi::Value(Napi::Env)>;
using Work = std::function<Deliver()>;

// Runs `work` on a new thread and resolves the promise with what it delivers. When the environment ends
// first, the thread runs on to its end and its result is dropped.
Napi::Value RunJob(Napi::Env env, const char* name, Work work);

}  // namespace bickford
