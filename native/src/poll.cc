// Read readiness on the environment's own event loop.
#include <errno.h>

#include <memory>

#include "handle.h"

namespace bickford {

// Lives until the event loop has let go of `poll`.
struct Watcher {
  uv_poll_t poll;
  Environment* environment;
  Handle* handle;
  Napi::FunctionReference callback;
  std::unique_ptr<Napi::AsyncContext> context;
  bool persistent = false;
  bool armed = false;
};

namespace {

void OnClosed(uv_handle_t* closed) {
  auto* watcher = static_cast<Watcher*>(closed->data);
  Environment* environment = watcher->environment;
  environment->watchers.erase(watcher);
  delete watcher;
  if (environment->closing && environment->watchers.empty()) napi_remove_async_cleanup_hook(environment->cleanup);
}

void OnReady(uv_poll_t* poll, int status, int) {
  auto* watcher = static_cast<Watcher*>(poll->data);
  Napi::Env env = watcher->callback.Env();
  Napi::HandleScope scope(env);
  Napi::Function callback = watcher->callback.Value();
  if (!watcher->persistent || status < 0) {
    // Consumed before the callback runs, which may arm it again.
    uv_poll_stop(poll);
    watcher->armed = false;
  }
  callback.MakeCallback(env.Global(), {Napi::Number::New(env, status)}, *watcher->context);
  if (env.IsExceptionPending()) {
    Napi::Error error = env.GetAndClearPendingException();
    napi_fatal_exception(env, error.Value());
  }
}

// select_read(handle, callback(status), persistent = false): 0, or a negative errno (-EBADF closed, -EBUSY armed).
Napi::Value SelectRead(const Napi::CallbackInfo& info) {
  Napi::Env env = info.Env();
  Handle* handle = info.Length() > 0 ? Handle::From(env, info[0]) : nullptr;
  if (handle == nullptr || info.Length() < 2 || !info[1].IsFunction()) {
    Napi::TypeError::New(env, "select_read: a handle and a function expected").ThrowAsJavaScriptException();
    return env.Undefined();
  }
  if (handle->fd() < 0) return Napi::Number::New(env, -EBADF);
  Watcher* watcher = handle->watcher;
  if (watcher == nullptr) {
    uv_loop_t* loop = nullptr;
    if (napi_get_uv_event_loop(env, &loop) != napi_ok) return Napi::Number::New(env, -ENOSYS);
    auto made = std::make_unique<Watcher>();
    int failed = uv_poll_init(loop, &made->poll, handle->fd());
    if (failed < 0) return Napi::Number::New(env, failed);
    watcher = made.release();
    watcher->poll.data = watcher;
    watcher->environment = GetEnvironment(env);
    watcher->environment->watchers.insert(watcher);
    watcher->handle = handle;
    watcher->context = std::make_unique<Napi::AsyncContext>(env, "bickford:select_read");
    handle->watcher = watcher;
  }
  if (watcher->armed) return Napi::Number::New(env, -EBUSY);
  watcher->callback = Napi::Persistent(info[1].As<Napi::Function>());
  watcher->persistent = info.Length() > 2 && info[2].IsBoolean() && info[2].As<Napi::Boolean>().Value();
  int failed = uv_poll_start(&watcher->poll, UV_READABLE, OnReady);
  watcher->armed = failed == 0;
  return Napi::Number::New(env, failed);
}

// select_stop(handle): disarms; nothing is lost, the next select_read sees what is ready.
Napi::Value SelectStop(const Napi::CallbackInfo& info) {
  Napi::Env env = info.Env();
  Handle* handle = info.Length() > 0 ? Handle::From(env, info[0]) : nullptr;
  if (handle == nullptr) {
    Napi::TypeError::New(env, "select_stop: a handle expected").ThrowAsJavaScriptException();
    return env.Undefined();
  }
  if (handle->watcher != nullptr && handle->watcher->armed) {
    uv_poll_stop(&handle->watcher->poll);
    handle->watcher->armed = false;
  }
  return env.Undefined();
}

}  // namespace

void CloseWatcher(Watcher* watcher) {
  auto* base = reinterpret_cast<uv_handle_t*>(&watcher->poll);
  if (uv_is_closing(base)) return;
  watcher->handle->watcher = nullptr;
  uv_poll_stop(&watcher->poll);
  watcher->armed = false;
  // References into JavaScript end now: when the loop lets go, the environment may be gone.
  watcher->callback.Reset();
  watcher->context.reset();
  uv_close(base, OnClosed);
}

void InitPoll(Napi::Env env, Napi::Object exports) {
  exports.Set("select_read", Napi::Function::New(env, SelectRead, "select_read"));
  exports.Set("select_stop", Napi::Function::New(env, SelectStop, "select_stop"));
}

}  // namespace bickford
