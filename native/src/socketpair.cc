#include "socketpair.h"

#include <sys/socket.h>

#include <cerrno>

#include "arguments.h"
#include "pair.h"

// (type = "stream"): two connected handles, or a negative errno. "seqpacket" keeps message boundaries.
Napi::Value make_socketpair(const Napi::CallbackInfo& info) {
  const Napi::Env env = info.Env();
  std::string name = "stream";
  if (!info[0].IsUndefined() && !read_string(info, 0, "type", &name)) return {};
  if (name != "stream" && name != "seqpacket") {
    Napi::TypeError::New(env, "expected type to be \"stream\" or \"seqpacket\"").ThrowAsJavaScriptException();
    return {};
  }
  const int type = name == "stream" ? SOCK_STREAM : SOCK_SEQPACKET;
  int fds[2];
  if (socketpair(AF_UNIX, type | SOCK_NONBLOCK | SOCK_CLOEXEC, 0, fds) != 0) return Napi::Number::New(env, -errno);
  return wrap_pair(env, UniqueFd(fds[0]), UniqueFd(fds[1]));
}
