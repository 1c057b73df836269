#include "open.h"

#include <fcntl.h>

#include <cerrno>

#include "handle.h"

// (): a handle, or a negative errno.
Napi::Value open_dev_fuse(const Napi::CallbackInfo& info) {
  UniqueFd fd(::open("/dev/fuse", O_RDWR | O_NONBLOCK | O_CLOEXEC));
  if (!fd.open()) return Napi::Number::New(info.Env(), -errno);
  return Napi::Value(info.Env(), wrap_handle(Addon::of(info.Env()), std::move(fd)));
}
