// Files found again without a descriptor, and files that the kernel reads and writes by itself.
#include <fcntl.h>
#include <sys/ioctl.h>

#include <cerrno>
#include <cstring>

#include "fs_attributes.h"
#include "fs_call.h"
#include "fuse_wire.h"
#include "handle.h"

namespace {

// struct fuse_backing_map (fuse_kernel.h, 7.40), absent from older headers.
struct BackingMap {
  int32_t fd;
  uint32_t flags;
  uint64_t padding;
};
static_assert(sizeof(BackingMap) == fuse_wire::backing_map::bytes);
static_assert(offsetof(BackingMap, flags) == fuse_wire::backing_map::flags);

// struct file_handle with room for the largest.
struct Room {
  struct file_handle handle;
  unsigned char more[MAX_HANDLE_SZ];
};

// (file, into): the length of its handle: the type's four bytes, then its own.
napi_value handle_of(napi_env env, napi_callback_info info) {
  FsCall call(env, info);
  const int file = call.integer(0);
  size_t size = 0;
  unsigned char* into = call.bytes(1, &size);
  if (!call.ok()) return nullptr;
  Room room = {};
  room.handle.handle_bytes = MAX_HANDLE_SZ;
  int mount = 0;
  if (name_to_handle_at(file, "", &room.handle, &mount, AT_EMPTY_PATH) != 0) return call.error(errno);
  const size_t length = room.handle.handle_bytes;
  if (size < length + 4) return call.error(ERANGE);
  memcpy(into, &room.handle.handle_type, 4);
  memcpy(into + 4, room.handle.f_handle, length);
  return call.result(static_cast<int64_t>(length) + 4);
}

// (mount, handle): a descriptor, O_PATH.
napi_value open_handle(napi_env env, napi_callback_info info) {
  FsCall call(env, info);
  const int mount = call.integer(0);
  size_t size = 0;
  const unsigned char* bytes = call.bytes(1, &size);
  if (!call.ok()) return nullptr;
  if (size < 4 || size > MAX_HANDLE_SZ + 4) return call.error(EINVAL);
  Room room = {};
  room.handle.handle_bytes = static_cast<unsigned>(size - 4);
  memcpy(&room.handle.handle_type, bytes, 4);
  memcpy(room.handle.f_handle, bytes + 4, size - 4);
  return call.result(open_by_handle_at(mount, &room.handle, O_PATH | O_NOFOLLOW | O_CLOEXEC));
}

// (device, file): the id under which the kernel knows the file.
napi_value backing_open(napi_env env, napi_callback_info info) {
  size_t argc = 2;
  napi_value argv[2];
  void* data = nullptr;
  if (napi_get_cb_info(env, info, &argc, argv, nullptr, &data) != napi_ok) return nullptr;
  Handle* device = unwrap_handle(static_cast<Addon*>(data), argv[0]);
  if (device == nullptr) return nullptr;
  FsCall call(env, info);
  const int file = call.integer(1);
  if (!call.ok()) return nullptr;
  if (!device->fd.open()) return call.error(EBADF);
  const BackingMap map = {file, 0, 0};
  return call.result(ioctl(device->fd.get(), fuse_wire::ioctl_request::BACKING_OPEN, &map));
}

// (device, id)
napi_value backing_close(napi_env env, napi_callback_info info) {
  size_t argc = 2;
  napi_value argv[2];
  void* data = nullptr;
  if (napi_get_cb_info(env, info, &argc, argv, nullptr, &data) != napi_ok) return nullptr;
  Handle* device = unwrap_handle(static_cast<Addon*>(data), argv[0]);
  if (device == nullptr) return nullptr;
  FsCall call(env, info);
  const uint32_t id = static_cast<uint32_t>(call.integer(1));
  if (!call.ok()) return nullptr;
  if (!device->fd.open()) return call.error(EBADF);
  return call.result(ioctl(device->fd.get(), fuse_wire::ioctl_request::BACKING_CLOSE, &id));
}

}  // namespace

const FsFunction fs_handle_functions[] = {
    {"fs_handle_of", handle_of}, {"fs_open_handle", open_handle}, {"backing_open", backing_open}, {"backing_close", backing_close}, {nullptr, nullptr},
};
