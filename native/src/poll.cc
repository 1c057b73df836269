#include "poll.h"

#include <cerrno>

// One direction's waiter.
struct Waiter {
  napi_ref callback = nullptr;
  bool persistent = false;
};

struct Poller {
  uv_poll_t poll;
  Addon* addon;
  Handle* handle;
  Waiter read;
  Waiter write;
  // Keeps the handle from being collected while somebody waits for it.
  napi_ref keep = nullptr;
};

namespace {

void drop(napi_env env, napi_ref& reference) {
  if (reference == nullptr) return;
  napi_delete_reference(env, reference);
  reference = nullptr;
}

void on_ready(uv_poll_t* poll, int status, int events);

// Makes the watcher watch what is waited for, and nothing else.
int apply(Poller* poller) {
  const int events = (poller->read.callback != nullptr ? UV_READABLE : 0) | (poller->write.callback != nullptr ? UV_WRITABLE : 0);
  if (events != 0) return uv_poll_start(&poller->poll, events, on_ready);
  uv_poll_stop(&poller->poll);
  drop(poller->addon->env, poller->keep);
  return 0;
}

// Takes the function to call; a waiter that is not persistent is used up by it.
napi_value take(Poller* poller, Waiter& waiter) {
  napi_value function = nullptr;
  napi_get_reference_value(poller->addon->env, waiter.callback, &function);
  if (!waiter.persistent) drop(poller->addon->env, waiter.callback);
  return function;
}

void on_ready(uv_poll_t* poll, int status, int events) {
  Poller* poller = static_cast<Poller*>(poll->data);
  const napi_env env = poller->addon->env;
  napi_handle_scope scope;
  if (napi_open_handle_scope(env, &scope) != napi_ok) return;
  // An error condition (POLLERR) counts as ready: reading or writing says which error it is.
  const bool readable = status < 0 || (events & UV_READABLE) != 0;
  const bool writable = status < 0 || (events & UV_WRITABLE) != 0;
  napi_value on_read = readable && poller->read.callback != nullptr ? take(poller, poller->read) : nullptr;
  napi_value on_write = writable && poller->write.callback != nullptr ? take(poller, poller->write) : nullptr;
  const bool used_up = (on_read != nullptr && poller->read.callback == nullptr) || (on_write != nullptr && poller->write.callback == nullptr);
  // libuv stops the watcher on POLLERR, so it has to be started again for a persistent waiter.
  if (used_up || status < 0) apply(poller);
  if (on_read != nullptr) call_from_loop(poller->addon, on_read, 0);
  if (on_write != nullptr && poller->handle != nullptr) call_from_loop(poller->addon, on_write, 0);
  napi_close_handle_scope(env, scope);
}

void cancel(Poller* poller, Waiter& waiter) {
  if (waiter.callback == nullptr) return;
  waiter.persistent = false;
  napi_value function = take(poller, waiter);
  if (function != nullptr) call_from_loop(poller->addon, function, -ECANCELED);
}

void on_closed(uv_handle_t* closed) {
  Poller* poller = static_cast<Poller*>(closed->data);
  Addon* addon = poller->addon;
  napi_handle_scope scope;
  if (!addon->ending && napi_open_handle_scope(addon->env, &scope) == napi_ok) {
    cancel(poller, poller->read);
    cancel(poller, poller->write);
    napi_close_handle_scope(addon->env, scope);
  }
  drop(addon->env, poller->read.callback);
  drop(addon->env, poller->write.callback);
  drop(addon->env, poller->keep);
  delete poller;
  addon->uv_handle_closed();
  addon->release();
}

int attach_poller(Handle* handle) {
  Poller* poller = new Poller{};
  poller->addon = handle->addon;
  poller->handle = handle;
  // EPERM: epoll does not support the file; EEXIST: the loop already watches this descriptor.
  const int error = uv_poll_init(handle->addon->loop, &poller->poll, handle->fd.get());
  if (error != 0) {
    delete poller;
    return error;
  }
  poller->poll.data = poller;
  handle->poller = poller;
  handle->addon->acquire();
  ++handle->addon->open_uv_handles;
  return 0;
}

// (handle, callback, persistent = false): 0 or a negative errno; -EBUSY when somebody waits already.
Napi::Value select(const Napi::CallbackInfo& info, Waiter Poller::*direction) {
  const Napi::Env env = info.Env();
  Addon* addon = Addon::of(env);
  Handle* handle = unwrap_handle(addon, info[0]);
  if (handle == nullptr) return {};
  if (!info[1].IsFunction() || !(info[2].IsUndefined() || info[2].IsBoolean())) {
    Napi::TypeError::New(env, "expected a handle, a function and possibly a boolean").ThrowAsJavaScriptException();
    return {};
  }
  if (!handle->fd.open()) return Napi::Number::New(env, -EBADF);
  if (addon->ending) return Napi::Number::New(env, -ECANCELED);
  if (handle->poller == nullptr) {
    const int error = attach_poller(handle);
    if (error != 0) return Napi::Number::New(env, error);
  }
  Poller* poller = handle->poller;
  Waiter& waiter = poller->*direction;
  if (waiter.callback != nullptr) return Napi::Number::New(env, -EBUSY);
  if (napi_create_reference(env, info[1], 1, &waiter.callback) != napi_ok) return Napi::Number::New(env, -ENOMEM);
  if (poller->keep == nullptr) napi_create_reference(env, info[0], 1, &poller->keep);
  waiter.persistent = info[2].IsBoolean() && info[2].As<Napi::Boolean>().Value();
  const int error = apply(poller);
  if (error != 0) {
    drop(env, waiter.callback);
    apply(poller);
  }
  return Napi::Number::New(env, error);
}

}  // namespace

void detach_poller(Handle* handle) {
  Poller* poller = handle->poller;
  handle->poller = nullptr;
  poller->handle = nullptr;
  uv_poll_stop(&poller->poll);
  uv_close(reinterpret_cast<uv_handle_t*>(&poller->poll), on_closed);
}

Napi::Value select_read(const Napi::CallbackInfo& info) { return select(info, &Poller::read); }
Napi::Value select_write(const Napi::CallbackInfo& info) { return select(info, &Poller::write); }

// (handle): nobody waits for reading any more, and nobody is called.
Napi::Value select_stop(const Napi::CallbackInfo& info) {
  const Napi::Env env = info.Env();
  Handle* handle = unwrap_handle(Addon::of(env), info[0]);
  if (handle == nullptr) return {};
  if (!handle->fd.open()) return Napi::Number::New(env, -EBADF);
  if (handle->poller != nullptr && handle->poller->read.callback != nullptr) {
    drop(env, handle->poller->read.callback);
    apply(handle->poller);
  }
  return Napi::Number::New(env, 0);
}
