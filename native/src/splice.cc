// Data that goes through a pipe instead of through this process's memory.
#include "splice.h"

#include <fcntl.h>
#include <unistd.h>

#include <cerrno>
#include <cstdint>

#include "handle.h"
#include "memory.h"

namespace {

napi_value number(napi_env env, int64_t value) {
  napi_value result = nullptr;
  napi_create_int64(env, value, &result);
  return result;
}

napi_value type_error(napi_env env, const char* message) {
  napi_throw_type_error(env, nullptr, message);
  return nullptr;
}

bool unsigned_argument(napi_env env, napi_value value, int64_t most, int64_t* into) {
  return napi_get_value_int64(env, value, into) == napi_ok && *into >= 0 && *into <= most;
}

// A file offset. Beyond 2^63 it is negative here, and splice(2) refuses it.
bool offset_argument(napi_env env, napi_value value, int64_t* into) {
  bool exact = true;
  return napi_get_value_int64(env, value, into) == napi_ok || napi_get_value_bigint_int64(env, value, into, &exact) == napi_ok;
}

}  // namespace

// (pipe, bytes): gives a pipe room for so many bytes, and tells how many pieces of up to a page it holds; or a negative errno:
// -EPERM beyond /proc/sys/fs/pipe-max-size.
napi_value pipe_slots(napi_env env, napi_callback_info info) {
  size_t argc = 2;
  napi_value argv[2] = {nullptr, nullptr};
  void* data = nullptr;
  if (napi_get_cb_info(env, info, &argc, argv, nullptr, &data) != napi_ok) return nullptr;
  Handle* pipe = unwrap_handle(static_cast<Addon*>(data), argv[0]);
  if (pipe == nullptr) return nullptr;
  int64_t bytes = 0;
  if (!unsigned_argument(env, argv[1], INT32_MAX, &bytes)) return type_error(env, "expected a number of bytes");
  if (!pipe->fd.open()) return number(env, -EBADF);
  const int size = fcntl(pipe->fd.get(), F_SETPIPE_SZ, static_cast<int>(bytes));
  if (size < 0) return number(env, -errno);
  return number(env, static_cast<int64_t>(static_cast<size_t>(size) / page_size()));
}

// (file, offset, pipe, length): up to `length` bytes of a file from an offset on, by reference into the pipe. Fewer only at the
// file's end; or a negative errno, also when some are in the pipe: -EAGAIN when it is full.
napi_value splice_file(napi_env env, napi_callback_info info) {
  size_t argc = 4;
  napi_value argv[4] = {nullptr, nullptr, nullptr, nullptr};
  void* data = nullptr;
  if (napi_get_cb_info(env, info, &argc, argv, nullptr, &data) != napi_ok) return nullptr;
  int64_t file = 0;
  int64_t offset = 0;
  int64_t length = 0;
  if (!unsigned_argument(env, argv[0], INT32_MAX, &file)) return type_error(env, "expected a descriptor");
  if (!offset_argument(env, argv[1], &offset)) return type_error(env, "expected a file offset");
  Handle* pipe = unwrap_handle(static_cast<Addon*>(data), argv[2]);
  if (pipe == nullptr) return nullptr;
  if (!unsigned_argument(env, argv[3], INT32_MAX, &length)) return type_error(env, "expected a length");
  if (!pipe->fd.open()) return number(env, -EBADF);
  off_t at = offset;
  int64_t done = 0;
  while (done < length) {
    const ssize_t count = splice(static_cast<int>(file), &at, pipe->fd.get(), nullptr, static_cast<size_t>(length - done), SPLICE_F_NONBLOCK);
    if (count < 0 && errno == EINTR) continue;
    if (count < 0) return number(env, -errno);
    if (count == 0) break;
    done += count;
  }
  return number(env, done);
}

// (from, to, length, move): one splice(2) between two handles, of which one is a pipe's; `move` is SPLICE_F_MOVE. Bytes, or a
// negative errno. /dev/fuse takes a frame whole or not at all.
napi_value splice_pipe(napi_env env, napi_callback_info info) {
  size_t argc = 4;
  napi_value argv[4] = {nullptr, nullptr, nullptr, nullptr};
  void* data = nullptr;
  if (napi_get_cb_info(env, info, &argc, argv, nullptr, &data) != napi_ok) return nullptr;
  Handle* from = unwrap_handle(static_cast<Addon*>(data), argv[0]);
  if (from == nullptr) return nullptr;
  Handle* to = unwrap_handle(static_cast<Addon*>(data), argv[1]);
  if (to == nullptr) return nullptr;
  int64_t length = 0;
  bool move = false;
  if (!unsigned_argument(env, argv[2], INT32_MAX, &length)) return type_error(env, "expected a length");
  if (napi_get_value_bool(env, argv[3], &move) != napi_ok) return type_error(env, "expected true or false");
  if (!from->fd.open() || !to->fd.open()) return number(env, -EBADF);
  const unsigned flags = SPLICE_F_NONBLOCK | (move ? SPLICE_F_MOVE : 0);
  ssize_t count = -1;
  do count = splice(from->fd.get(), nullptr, to->fd.get(), nullptr, static_cast<size_t>(length), flags);
  while (count < 0 && errno == EINTR);
  return number(env, count < 0 ? -errno : count);
}

// (pipe, file, offset, length): up to `length` bytes out of a pipe into a file, from an offset on. Fewer when the file takes no
// more; or a negative errno when none went: -EINVAL where the file cannot be spliced to.
napi_value splice_into(napi_env env, napi_callback_info info) {
  size_t argc = 4;
  napi_value argv[4] = {nullptr, nullptr, nullptr, nullptr};
  void* data = nullptr;
  if (napi_get_cb_info(env, info, &argc, argv, nullptr, &data) != napi_ok) return nullptr;
  Handle* pipe = unwrap_handle(static_cast<Addon*>(data), argv[0]);
  if (pipe == nullptr) return nullptr;
  int64_t file = 0;
  int64_t offset = 0;
  int64_t length = 0;
  if (!unsigned_argument(env, argv[1], INT32_MAX, &file)) return type_error(env, "expected a descriptor");
  if (!offset_argument(env, argv[2], &offset)) return type_error(env, "expected a file offset");
  if (!unsigned_argument(env, argv[3], INT32_MAX, &length)) return type_error(env, "expected a length");
  if (!pipe->fd.open()) return number(env, -EBADF);
  off_t at = offset;
  int64_t done = 0;
  while (done < length) {
    const ssize_t count = splice(pipe->fd.get(), nullptr, static_cast<int>(file), &at, static_cast<size_t>(length - done), SPLICE_F_NONBLOCK);
    if (count < 0 && errno == EINTR) continue;
    if (count < 0) return number(env, done > 0 ? done : -errno);
    if (count == 0) break;
    done += count;
  }
  return number(env, done);
}
