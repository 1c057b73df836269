// Where descriptors come from, and how they go.
#include <errno.h>
#include <fcntl.h>
#include <sys/socket.h>
#include <unistd.h>

#include "handle.h"

namespace bickford {

namespace {

Napi::Value Errno(Napi::Env env) { return Napi::Number::New(env, -errno); }

Napi::Value OpenDevFuse(const Napi::CallbackInfo& info) {
  UniqueFd fd(::open("/dev/fuse", O_RDWR | O_NONBLOCK | O_CLOEXEC));
  return fd.get() < 0 ? Errno(info.Env()) : Handle::Make(info.Env(), std::move(fd));
}

Napi::Value Pair(Napi::Env env, int first, int second) {
  UniqueFd a(first);
  UniqueFd b(second);
  Napi::Array pair = Napi::Array::New(env, 2);
  pair.Set(0u, Handle::Make(env, std::move(a)));
  pair.Set(1u, Handle::Make(env, std::move(b)));
  return pair;
}

Napi::Value PipePair(const Napi::CallbackInfo& info) {
  int fds[2];
  if (::pipe2(fds, O_NONBLOCK | O_CLOEXEC) < 0) return Errno(info.Env());
  return Pair(info.Env(), fds[0], fds[1]);
}

// socketpair("stream" | "seqpacket" = "stream")
Napi::Value SocketPair(const Napi::CallbackInfo& info) {
  int type = SOCK_STREAM;
  if (info.Length() > 0 && !info[0].IsUndefined()) {
    std::string name = info[0].IsString() ? info[0].As<Napi::String>().Utf8Value() : "";
    if (name == "seqpacket") {
      type = SOCK_SEQPACKET;
    } else if (name != "stream") {
      Napi::TypeError::New(info.Env(), "socketpair: the type must be \"stream\" or \"seqpacket\"").ThrowAsJavaScriptException();
      return info.Env().Undefined();
    }
  }
  int fds[2];
  if (::socketpair(AF_UNIX, type | SOCK_NONBLOCK | SOCK_CLOEXEC, 0, fds) < 0) return Errno(info.Env());
  // A frame is as long as max_write; the default buffer is shorter than that.
  int size = 4 << 20;
  for (int fd : fds) {
    if (::setsockopt(fd, SOL_SOCKET, SO_SNDBUFFORCE, &size, sizeof size) < 0) ::setsockopt(fd, SOL_SOCKET, SO_SNDBUF, &size, sizeof size);
  }
  return Pair(info.Env(), fds[0], fds[1]);
}

// from_fd(number): a duplicate of a descriptor that this process holds.
Napi::Value FromFd(const Napi::CallbackInfo& info) {
  if (info.Length() < 1 || !info[0].IsNumber()) {
    Napi::TypeError::New(info.Env(), "from_fd: a descriptor's number expected").ThrowAsJavaScriptException();
    return info.Env().Undefined();
  }
  UniqueFd fd(::fcntl(info[0].As<Napi::Number>().Int32Value(), F_DUPFD_CLOEXEC, 3));
  if (fd.get() < 0) return Errno(info.Env());
  int flags = ::fcntl(fd.get(), F_GETFL);
  if (flags < 0 || ::fcntl(fd.get(), F_SETFL, flags | O_NONBLOCK) < 0) return Errno(info.Env());
  return Handle::Make(info.Env(), std::move(fd));
}

Handle* HandleArgument(const Napi::CallbackInfo& info, const char* message) {
  Handle* handle = info.Length() > 0 ? Handle::From(info.Env(), info[0]) : nullptr;
  if (handle == nullptr) Napi::TypeError::New(info.Env(), message).ThrowAsJavaScriptException();
  return handle;
}

Napi::Value Close(const Napi::CallbackInfo& info) {
  Handle* handle = HandleArgument(info, "close: a handle expected");
  if (handle != nullptr) handle->Close();
  return info.Env().Undefined();
}

Napi::Value Fd(const Napi::CallbackInfo& info) {
  Handle* handle = HandleArgument(info, "fd: a handle expected");
  return handle == nullptr ? info.Env().Undefined() : Napi::Number::New(info.Env(), handle->fd());
}

}  // namespace

void InitOpen(Napi::Env env, Napi::Object exports) {
  exports.Set("open_dev_fuse", Napi::Function::New(env, OpenDevFuse, "open_dev_fuse"));
  exports.Set("pipe_pair", Napi::Function::New(env, PipePair, "pipe_pair"));
  exports.Set("socketpair", Napi::Function::New(env, SocketPair, "socketpair"));
  exports.Set("from_fd", Napi::Function::New(env, FromFd, "from_fd"));
  exports.Set("close", Napi::Function::New(env, Close, "close"));
  exports.Set("fd", Napi::Function::New(env, Fd, "fd"));
}

}  // namespace bickford
