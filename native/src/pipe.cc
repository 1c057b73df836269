#include "pipe.h"

#include <fcntl.h>

#include <cerrno>

#include "pair.h"

// (): [read handle, write handle], or a negative errno.
Napi::Value pipe_pair(const Napi::CallbackInfo& info) {
  int fds[2];
  if (pipe2(fds, O_NONBLOCK | O_CLOEXEC) != 0) return Napi::Number::New(info.Env(), -errno);
  return wrap_pair(info.Env(), UniqueFd(fds[0]), UniqueFd(fds[1]));
}
