#include "from_fd.h"

#include <fcntl.h>

#include <cerrno>

#include "arguments.h"
#include "handle.h"

// (fd): a handle that owns a duplicate, non-blocking and close-on-exec, or a negative errno.
// Non-blocking is a property of the open file, so the caller's descriptor becomes so too.
Napi::Value from_fd(const Napi::CallbackInfo& info) {
  const Napi::Env env = info.Env();
  uint32_t number = 0;
  if (!read_uint32(info, 0, "fd", &number)) return {};
  if (number > INT32_MAX) return Napi::Number::New(env, -EBADF);
  UniqueFd fd(fcntl(static_cast<int>(number), F_DUPFD_CLOEXEC, 3));
  if (!fd.open()) return Napi::Number::New(env, -errno);
  const int flags = fcntl(fd.get(), F_GETFL);
  if (flags < 0 || fcntl(fd.get(), F_SETFL, flags | O_NONBLOCK) < 0) return Napi::Number::New(env, -errno);
  return Napi::Value(env, wrap_handle(Addon::of(env), std::move(fd)));
}
