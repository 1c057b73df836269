#include "frame.h"

#include <poll.h>
#include <sys/socket.h>
#include <sys/uio.h>
#include <unistd.h>

#include <cerrno>

#include "arguments.h"
#include "handle.h"

namespace {

// writev takes 1024 parts; a reply has a header and a few.
constexpr size_t max_parts = 64;

napi_value number(napi_env env, int64_t value) {
  napi_value result = nullptr;
  napi_create_int64(env, value, &result);
  return result;
}

bool is_undefined(napi_env env, napi_value value) {
  napi_valuetype type;
  return napi_typeof(env, value, &type) == napi_ok && type == napi_undefined;
}

// A non-negative 32-bit integer; a TypeError is pending otherwise.
bool unsigned_argument(napi_env env, napi_value value, size_t* into) {
  int64_t number = 0;
  if (napi_get_value_int64(env, value, &number) == napi_ok && number >= 0 && number <= INT32_MAX) {
    *into = static_cast<size_t>(number);
    return true;
  }
  napi_throw_type_error(env, nullptr, "expected an offset or a length");
  return false;
}

bool in_range(napi_env env, size_t offset, size_t length, size_t size) {
  if (offset <= size && length <= size - offset) return true;
  napi_throw_range_error(env, nullptr, "the range lies outside the memory");
  return false;
}

napi_value result_of(napi_env env, ssize_t count) { return number(env, count < 0 ? -errno : count); }

// read(2) that does not wait, whatever the descriptor's flags are: EAGAIN where there is nothing to read yet.
ssize_t read_ready(int fd, void* into, size_t length) {
  pollfd ready = {fd, POLLIN, 0};
  if (poll(&ready, 1, 0) == 0) {
    errno = EAGAIN;
    return -1;
  }
  return ::read(fd, into, length);
}

// (handle, memory, offset = 0, length = the rest)
struct View {
  Handle* handle;
  unsigned char* data;
  size_t length;
};

bool view_arguments(napi_env env, napi_callback_info info, View* view) {
  size_t argc = 4;
  napi_value argv[4];
  void* data = nullptr;
  if (napi_get_cb_info(env, info, &argc, argv, nullptr, &data) != napi_ok) return false;
  view->handle = unwrap_handle(static_cast<Addon*>(data), argv[0]);
  if (view->handle == nullptr) return false;
  void* bytes = nullptr;
  size_t size = 0;
  if (!bytes_of(env, argv[1], &bytes, &size)) return false;
  size_t offset = 0;
  if (argc > 2 && !is_undefined(env, argv[2]) && !unsigned_argument(env, argv[2], &offset)) return false;
  if (!in_range(env, offset, 0, size)) return false;
  size_t length = size - offset;
  if (argc > 3 && !is_undefined(env, argv[3]) && !unsigned_argument(env, argv[3], &length)) return false;
  if (!in_range(env, offset, length, size)) return false;
  view->data = static_cast<unsigned char*>(bytes) + offset;
  view->length = length;
  return true;
}

}  // namespace

// (handle, into, offset?, length?): bytes read, 0 at the end of a pipe or socket, or a negative errno.
napi_value read_frame(napi_env env, napi_callback_info info) {
  View view;
  if (!view_arguments(env, info, &view)) return nullptr;
  if (!view.handle->fd.open()) return number(env, -EBADF);
  return result_of(env, ::read(view.handle->fd.get(), view.data, view.length));
}

// (handle): bytes of the message that the next read takes from a seqpacket socket, which stays there; 0 at the end and for
// a stream, -ENOTSOCK for what is no socket, or another negative errno.
napi_value message_length(napi_env env, napi_callback_info info) {
  size_t argc = 1;
  napi_value argv[1];
  void* data = nullptr;
  if (napi_get_cb_info(env, info, &argc, argv, nullptr, &data) != napi_ok) return nullptr;
  Handle* handle = unwrap_handle(static_cast<Addon*>(data), argv[0]);
  if (handle == nullptr) return nullptr;
  if (!handle->fd.open()) return number(env, -EBADF);
  return result_of(env, ::recv(handle->fd.get(), nullptr, 0, MSG_PEEK | MSG_TRUNC | MSG_DONTWAIT));
}

// (handle, from, offset?, length?): bytes written, possibly fewer than given, or a negative errno.
// For byte streams, where the rest of a frame can follow later.
napi_value write_some(napi_env env, napi_callback_info info) {
  View view;
  if (!view_arguments(env, info, &view)) return nullptr;
  if (!view.handle->fd.open()) return number(env, -EBADF);
  return result_of(env, ::write(view.handle->fd.get(), view.data, view.length));
}

// (fd, into, offset, length, position?): up to `length` bytes of a file from `position` on, or from its current position,
// put at `offset` of `into`. Bytes read, fewer only at the file's end and, from the current position, where a pipe or
// socket has no more at the moment; or a negative errno, also when some had been read.
napi_value read_range(napi_env env, napi_callback_info info) {
  size_t argc = 5;
  napi_value argv[5];
  if (napi_get_cb_info(env, info, &argc, argv, nullptr, nullptr) != napi_ok) return nullptr;
  size_t fd = 0;
  void* bytes = nullptr;
  size_t size = 0;
  size_t offset = 0;
  size_t length = 0;
  int64_t position = 0;
  if (!unsigned_argument(env, argv[0], &fd) || !bytes_of(env, argv[1], &bytes, &size)) return nullptr;
  if (!unsigned_argument(env, argv[2], &offset) || !unsigned_argument(env, argv[3], &length)) return nullptr;
  if (!in_range(env, offset, length, size)) return nullptr;
  const bool current = is_undefined(env, argv[4]);
  // Beyond 2^63 it is negative here, and pread(2) refuses it.
  bool exact = true;
  if (!current && napi_get_value_int64(env, argv[4], &position) != napi_ok && napi_get_value_bigint_int64(env, argv[4], &position, &exact) != napi_ok) {
    napi_throw_type_error(env, nullptr, "expected a file offset");
    return nullptr;
  }
  unsigned char* to = static_cast<unsigned char*>(bytes) + offset;
  size_t done = 0;
  while (done < length) {
    const ssize_t count = current ? read_ready(static_cast<int>(fd), to + done, length - done)
                                  : ::pread(static_cast<int>(fd), to + done, length - done, position + static_cast<int64_t>(done));
    if (count < 0 && errno == EINTR) continue;
    if (count < 0 && errno == EAGAIN && done > 0) break;
    if (count < 0) return result_of(env, count);
    if (count == 0) break;
    done += static_cast<size_t>(count);
  }
  return number(env, static_cast<int64_t>(done));
}

// (handle, ...parts): bytes written, or a negative errno; -EAGAIN when the whole did not go out.
napi_value write_frame(napi_env env, napi_callback_info info) {
  size_t argc = max_parts + 1;
  napi_value argv[max_parts + 1];
  void* data = nullptr;
  if (napi_get_cb_info(env, info, &argc, argv, nullptr, &data) != napi_ok) return nullptr;
  Handle* handle = unwrap_handle(static_cast<Addon*>(data), argv[0]);
  if (handle == nullptr) return nullptr;
  if (argc < 2 || argc > max_parts + 1) {
    napi_throw_type_error(env, nullptr, "expected between 1 and 64 parts");
    return nullptr;
  }
  iovec parts[max_parts];
  size_t total = 0;
  for (size_t i = 1; i < argc; ++i) {
    if (!bytes_of(env, argv[i], &parts[i - 1].iov_base, &parts[i - 1].iov_len)) return nullptr;
    total += parts[i - 1].iov_len;
  }
  if (!handle->fd.open()) return number(env, -EBADF);
  const ssize_t count = ::writev(handle->fd.get(), parts, static_cast<int>(argc - 1));
  if (count >= 0 && static_cast<size_t>(count) < total) return number(env, -EAGAIN);
  return result_of(env, count);
}
