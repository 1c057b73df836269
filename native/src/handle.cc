#include "handle.h"

#include <poll.h>
#include <sys/socket.h>
#include <sys/stat.h>

#include <cerrno>

#include "poll.h"

namespace {

int close_now(Handle* handle) {
  if (!handle->fd.open()) return -EBADF;
  if (handle->poller != nullptr) detach_poller(handle);
  handle->at_end.reset();
  // Linux frees the number whatever close returns, so there is nothing to retry.
  return ::close(handle->fd.take()) == 0 || errno == EINTR ? 0 : -errno;
}

void finalize(napi_env, void* data, void*) {
  Handle* handle = static_cast<Handle*>(data);
  Addon* addon = handle->addon;
  close_now(handle);
  addon->handles.erase(handle);
  if (addon->last_handle == handle) addon->last_handle = nullptr;
  release_handle(handle);
}

}  // namespace

void retain_handle(Handle* handle) { ++handle->references; }

void release_handle(Handle* handle) {
  if (--handle->references > 0) return;
  Addon* addon = handle->addon;
  delete handle;
  addon->release();
}

napi_value wrap_handle(Addon* addon, UniqueFd fd) {
  Handle* handle = new Handle{addon, std::move(fd)};
  napi_value external = nullptr;
  if (napi_create_external(addon->env, handle, finalize, nullptr, &external) != napi_ok) {
    delete handle;
    napi_throw_error(addon->env, nullptr, "the environment is ending");
    return nullptr;
  }
  addon->acquire();
  addon->handles.insert(handle);
  return external;
}

Handle* unwrap_handle(Addon* addon, napi_value value) {
  void* data = nullptr;
  if (napi_get_value_external(addon->env, value, &data) == napi_ok && data != nullptr) {
    if (data == addon->last_handle) return static_cast<Handle*>(data);
    if (addon->handles.count(data) != 0) {
      addon->last_handle = data;
      return static_cast<Handle*>(data);
    }
  }
  napi_throw_type_error(addon->env, nullptr, "expected a handle");
  return nullptr;
}

Napi::Value close_handle(const Napi::CallbackInfo& info) {
  Handle* handle = unwrap_handle(Addon::of(info.Env()), info[0]);
  if (handle == nullptr) return {};
  return Napi::Number::New(info.Env(), close_now(handle));
}

Napi::Value handle_fd(const Napi::CallbackInfo& info) {
  Handle* handle = unwrap_handle(Addon::of(info.Env()), info[0]);
  if (handle == nullptr) return {};
  return Napi::Number::New(info.Env(), handle->fd.open() ? handle->fd.get() : -EBADF);
}

// "device", "seqpacket" (message boundaries are kept) or "stream" (they are not), or a negative errno.
Napi::Value handle_kind(const Napi::CallbackInfo& info) {
  const Napi::Env env = info.Env();
  Handle* handle = unwrap_handle(Addon::of(env), info[0]);
  if (handle == nullptr) return {};
  struct stat st;
  if (!handle->fd.open()) return Napi::Number::New(env, -EBADF);
  if (fstat(handle->fd.get(), &st) != 0) return Napi::Number::New(env, -errno);
  if (S_ISSOCK(st.st_mode)) {
    int type = 0;
    socklen_t length = sizeof type;
    if (getsockopt(handle->fd.get(), SOL_SOCKET, SO_TYPE, &type, &length) != 0) return Napi::Number::New(env, -errno);
    return Napi::String::New(env, type == SOCK_STREAM ? "stream" : "seqpacket");
  }
  return Napi::String::New(env, S_ISCHR(st.st_mode) ? "device" : "stream");
}

bool is_connected(const Handle* handle) {
  if (!handle->fd.open()) return false;
  pollfd one = {handle->fd.get(), 0, 0};
  return poll(&one, 1, 0) <= 0 || (one.revents & (POLLERR | POLLHUP | POLLNVAL)) == 0;
}

Napi::Value handle_connected(const Napi::CallbackInfo& info) {
  Handle* handle = unwrap_handle(Addon::of(info.Env()), info[0]);
  if (handle == nullptr) return {};
  return Napi::Boolean::New(info.Env(), is_connected(handle));
}
