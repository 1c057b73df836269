// One frame in, one frame out. The hot path: plain Node-API, no allocation, no exceptions.
#include <errno.h>
#include <sys/uio.h>
#include <unistd.h>

#include "handle.h"

namespace bickford {

namespace {

// Header, and as many views as a reply is gathered from: 1 MiB of 64 KiB chunks needs 17.
constexpr size_t kMaxParts = 64;

napi_value Int(napi_env env, int64_t value) {
  napi_value result = nullptr;
  napi_create_int32(env, static_cast<int32_t>(value), &result);
  return result;
}

napi_value Throw(napi_env env, const char* message) {
  napi_throw_type_error(env, "ERR_INVALID_ARG_TYPE", message);
  return nullptr;
}

bool Bytes(napi_env env, napi_value value, iovec* out) {
  napi_typedarray_type type;
  void* data = nullptr;
  size_t length = 0;
  if (napi_get_typedarray_info(env, value, &type, &length, &data, nullptr, nullptr) != napi_ok || type != napi_uint8_array) return false;
  *out = {data, length};
  return true;
}

// Narrows `bytes` to `length` bytes from `offset`; false when they lie outside.
bool Narrow(napi_env env, napi_value offset, napi_value length, iovec* bytes) {
  uint32_t from = 0;
  uint32_t count = 0;
  if (napi_get_value_uint32(env, offset, &from) != napi_ok || napi_get_value_uint32(env, length, &count) != napi_ok) return false;
  if (from > bytes->iov_len || count > bytes->iov_len - from) return false;
  bytes->iov_base = static_cast<uint8_t*>(bytes->iov_base) + from;
  bytes->iov_len = count;
  return true;
}

int64_t Send(int fd, const iovec* parts, size_t count) {
  size_t total = 0;
  for (size_t i = 0; i < count; i++) total += parts[i].iov_len;
  ssize_t written = count == 1 ? ::write(fd, parts[0].iov_base, parts[0].iov_len) : ::writev(fd, parts, static_cast<int>(count));
  if (written < 0) return -errno;
  return static_cast<size_t>(written) == total ? written : -EAGAIN;
}

// read_frame(handle, into, [offset, length]): bytes read, 0 at the end of file, or a negative errno.
napi_value ReadFrame(napi_env env, napi_callback_info info) {
  size_t argc = 4;
  napi_value argv[4];
  napi_get_cb_info(env, info, &argc, argv, nullptr, nullptr);
  Handle* handle = argc >= 2 ? Handle::From(env, argv[0]) : nullptr;
  iovec into;
  if (handle == nullptr || !Bytes(env, argv[1], &into)) return Throw(env, "read_frame: a handle and a Uint8Array expected");
  if (argc >= 4 && !Narrow(env, argv[2], argv[3], &into)) return Throw(env, "read_frame: the range lies outside the buffer");
  if (handle->fd() < 0) return Int(env, -EBADF);
  ssize_t length = ::read(handle->fd(), into.iov_base, into.iov_len);
  return Int(env, length < 0 ? -errno : length);
}

// write_frame(handle, ...parts): bytes written, or a negative errno; a short write is -EAGAIN.
napi_value WriteFrame(napi_env env, napi_callback_info info) {
  size_t argc = kMaxParts + 1;
  napi_value argv[kMaxParts + 1];
  napi_get_cb_info(env, info, &argc, argv, nullptr, nullptr);
  if (argc > kMaxParts + 1) return Int(env, -E2BIG);
  Handle* handle = argc >= 2 ? Handle::From(env, argv[0]) : nullptr;
  if (handle == nullptr) return Throw(env, "write_frame: a handle and at least one Uint8Array expected");
  iovec parts[kMaxParts];
  for (size_t i = 1; i < argc; i++) {
    if (!Bytes(env, argv[i], &parts[i - 1])) return Throw(env, "write_frame: a part is not a Uint8Array");
  }
  if (handle->fd() < 0) return Int(env, -EBADF);
  return Int(env, Send(handle->fd(), parts, argc - 1));
}

// write_range(handle, bytes, offset, length, ...parts): as write_frame, the first part a range of `bytes`.
napi_value WriteRange(napi_env env, napi_callback_info info) {
  size_t argc = kMaxParts + 3;
  napi_value argv[kMaxParts + 3];
  napi_get_cb_info(env, info, &argc, argv, nullptr, nullptr);
  if (argc > kMaxParts + 3) return Int(env, -E2BIG);
  Handle* handle = argc >= 4 ? Handle::From(env, argv[0]) : nullptr;
  iovec parts[kMaxParts];
  if (handle == nullptr || !Bytes(env, argv[1], &parts[0])) return Throw(env, "write_range: a handle and a Uint8Array expected");
  if (!Narrow(env, argv[2], argv[3], &parts[0])) return Throw(env, "write_range: the range lies outside the buffer");
  for (size_t i = 4; i < argc; i++) {
    if (!Bytes(env, argv[i], &parts[i - 3])) return Throw(env, "write_range: a part is not a Uint8Array");
  }
  if (handle->fd() < 0) return Int(env, -EBADF);
  return Int(env, Send(handle->fd(), parts, argc - 3));
}

void Export(napi_env env, napi_value exports, const char* name, napi_callback callback) {
  napi_value function = nullptr;
  napi_create_function(env, name, NAPI_AUTO_LENGTH, callback, nullptr, &function);
  napi_set_named_property(env, exports, name, function);
}

}  // namespace

void InitFrame(Napi::Env env, Napi::Object exports) {
  Export(env, exports, "read_frame", ReadFrame);
  Export(env, exports, "write_frame", WriteFrame);
  Export(env, exports, "write_range", WriteRange);
}

}  // namespace bickford
