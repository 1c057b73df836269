// What the addon exports: thin system calls, one environment's own each.
#include "handle.h"

namespace bickford {

namespace {

void CleanUp(napi_async_cleanup_hook_handle hook, void* data) {
  auto* environment = static_cast<Environment*>(data);
  environment->closing = true;
  if (environment->watchers.empty()) {
    napi_remove_async_cleanup_hook(hook);
    return;
  }
  auto open = environment->watchers;
  for (Watcher* watcher : open) CloseWatcher(watcher);
}

}  // namespace

Napi::Object Init(Napi::Env env, Napi::Object exports) {
  auto* environment = new Environment();
  napi_set_instance_data(
      env, environment, [](napi_env, void* data, void*) { delete static_cast<Environment*>(data); }, nullptr);
  napi_add_async_cleanup_hook(env, CleanUp, environment, &environment->cleanup);
  Handle::Init(env);
  InitOpen(env, exports);
  InitPoll(env, exports);
  InitFrame(env, exports);
  InitMount(env, exports);
  InitFusermount(env, exports);
  InitMemory(env, exports);
  return exports;
}

NODE_API_MODULE(bickford, Init)

}  // namespace bickford
