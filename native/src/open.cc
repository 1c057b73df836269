#include "open.h"

#include <fcntl.h>
#include <sys/ioctl.h>

#include <cerrno>

#include "fuse_wire.h"
#include "handle.h"

// (): a handle, or a negative errno.
Napi::Value open_dev_fuse(const Napi::CallbackInfo& info) {
  UniqueFd fd(::open("/dev/fuse", O_RDWR | O_NONBLOCK | O_CLOEXEC));
  if (!fd.open()) return Napi::Number::New(info.Env(), -errno);
  return Napi::Value(info.Env(), wrap_handle(Addon::of(info.Env()), std::move(fd)));
}

// (device): has mount(2) of the device return when INIT has been answered, and fail when it was refused (Linux 6.18): 0, or a
// negative errno. From then on whoever polls or reads the device waits until mount(2) has made the connection.
Napi::Value sync_init(const Napi::CallbackInfo& info) {
  const Napi::Env env = info.Env();
  Handle* handle = unwrap_handle(Addon::of(env), info[0]);
  if (handle == nullptr) return {};
  if (!handle->fd.open()) return Napi::Number::New(env, -EBADF);
  const int failed = ioctl(handle->fd.get(), fuse_wire::ioctl_request::SYNC_INIT);
  return Napi::Number::New(env, failed == 0 ? 0 : -errno);
}
