// Names in folders: found, made, moved, taken away. A name is one component, relative to a descriptor of its
// folder, and a last link is never followed: no path leaves what is served.
#include <fcntl.h>
#include <linux/openat2.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/sysmacros.h>
#include <unistd.h>

#include <cerrno>
#include <cstdio>
#include <cstring>
#include <utility>

#include "fs_attributes.h"
#include "fs_call.h"
#include "fs_place.h"
#include "shared_words.h"
#include "unique_fd.h"

namespace {

int open_beneath(int folder, const char* name, uint64_t flags, uint64_t mode) {
  struct open_how how = {};
  how.flags = flags | O_CLOEXEC;
  how.mode = mode;
  how.resolve = RESOLVE_BENEATH | RESOLVE_NO_MAGICLINKS;
  for (;;) {
    const long fd = syscall(SYS_openat2, folder, name, &how, sizeof how);
    // A rename somewhere made it uncertain whether the path stayed beneath.
    if (fd >= 0 || errno != EAGAIN) return static_cast<int>(fd);
  }
}

// (path): a descriptor for a folder named by its path, O_PATH.
napi_value open_folder(napi_env env, napi_callback_info info) {
  FsCall call(env, info);
  FsName path;
  const char* name = call.name(0, &path);
  if (!call.ok()) return nullptr;
  if (call.too_long()) return call.error(ENAMETOOLONG);
  return call.result(::open(name, O_PATH | O_DIRECTORY | O_CLOEXEC));
}

// (folder, name): 0, its attributes noted.
napi_value look(napi_env env, napi_callback_info info) {
  FsCall call(env, info);
  const FsPlace place(call, 0);
  if (!call.ok()) return nullptr;
  if (place.wrong != 0) return call.error(place.wrong);
  return call.result(fs_look_across(call.addon(), place.folder, place.name));
}

// (folder, name): a descriptor, O_PATH, its attributes noted.
napi_value find(napi_env env, napi_callback_info info) {
  FsCall call(env, info);
  const FsPlace place(call, 0);
  if (!call.ok()) return nullptr;
  if (place.wrong != 0) return call.error(place.wrong);
  UniqueFd fd(open_beneath(place.folder, place.name, O_PATH | O_NOFOLLOW, 0));
  if (!fd.open() || fs_look_across(call.addon(), fd.get(), "") != 0) return call.error(errno);
  return call.result(fd.take());
}

int find_way(int folder, const char* path, uint64_t resolve) {
  struct open_how how = {};
  how.flags = O_PATH | O_NOFOLLOW | O_CLOEXEC;
  how.resolve = RESOLVE_BENEATH | RESOLVE_NO_MAGICLINKS | RESOLVE_NO_SYMLINKS | resolve;
  return static_cast<int>(syscall(SYS_openat2, folder, path, &how, sizeof how));
}

// Goes a way one name at a time, so that nothing is asked of a filesystem before it is known to be another's.
int find_way_by_steps(Addon* addon, int folder, char* path) {
  UniqueFd at(-1);
  char* rest = nullptr;
  for (const char* name = strtok_r(path, "/", &rest); name != nullptr; name = strtok_r(nullptr, "/", &rest)) {
    UniqueFd next(find_way(at.open() ? at.get() : folder, name, 0));
    if (!next.open() || fs_look_across(addon, next.get(), "") != 0) return -1;
    at = std::move(next);
  }
  return at.take();
}

// (folder, path): a descriptor, O_PATH, of what lies below by a path of several components, its attributes noted.
napi_value find_path(napi_env env, napi_callback_info info) {
  FsCall call(env, info);
  const int folder = call.integer(0);
  FsName buffer;
  const char* path = call.name(1, &buffer);
  if (!call.ok()) return nullptr;
  if (call.too_long()) return call.error(ENAMETOOLONG);
  Addon* addon = call.addon();
  const bool careful = !addon->own_devices.empty();
  UniqueFd fd(find_way(folder, path, careful ? RESOLVE_NO_XDEV : 0));
  if (!fd.open() && careful && errno == EXDEV) return call.result(find_way_by_steps(addon, folder, buffer.text));
  if (!fd.open() || fs_look(addon, fd.get(), "") != 0) return call.error(errno);
  return call.result(fd.take());
}

// Opens a regular file that somebody else made in the moment before: its type is looked at first, since opening a
// FIFO or a device may wait, or do something. ESTALE for anything else, and for a file that is leased: the kernel
// looks the name up anew, and does what is right.
int open_made_by_another(Addon* addon, const FsPlace& place, uint64_t flags) {
  const UniqueFd found(open_beneath(place.folder, place.name, O_PATH | O_NOFOLLOW, 0));
  if (!found.open() || fs_look_across(addon, found.get(), "") != 0) return -1;
  if (!S_ISREG(addon->attributes[attribute_words::mode])) {
    errno = ESTALE;
    return -1;
  }
  char path[32];
  snprintf(path, sizeof path, "/proc/self/fd/%d", found.get());
  const int fd = ::open(path, static_cast<int>(flags) | O_NONBLOCK | O_CLOEXEC);
  if (fd < 0 && errno == EAGAIN) errno = ESTALE;
  return fd;
}

// How often a name that comes and goes is tried again.
constexpr int create_attempts = 8;

// Makes a file; without O_EXCL in `flags`, opens one that is there. A descriptor, or -1 with errno set.
int create_or_open(Addon* addon, const FsPlace& place, uint64_t flags, uint64_t mode) {
  for (int attempt = 0; attempt < create_attempts; attempt++) {
    const int made = open_beneath(place.folder, place.name, flags | O_CREAT | O_EXCL | O_NOFOLLOW, mode);
    if (made >= 0 || errno != EEXIST || (flags & O_EXCL) != 0) return made;
    const int fd = open_made_by_another(addon, place, flags);
    if (fd >= 0 || errno != ENOENT) return fd;
  }
  errno = ESTALE;
  return -1;
}

// (directory): a descriptor, O_PATH, of the directory above it, its attributes noted. What it leads to may be outside.
napi_value go_up(napi_env env, napi_callback_info info) {
  FsCall call(env, info);
  const int directory = call.integer(0);
  if (!call.ok()) return nullptr;
  UniqueFd up(openat(directory, "..", O_PATH | O_DIRECTORY | O_CLOEXEC));
  if (!up.open() || fs_look(call.addon(), up.get(), "") != 0) return call.error(errno);
  return call.result(up.take());
}

// (folder, name, flags, mode): a descriptor of a file made there, its attributes noted.
napi_value create(napi_env env, napi_callback_info info) {
  FsCall call(env, info);
  const FsPlace place(call, 0);
  const int flags = call.integer(2);
  const int mode = call.integer(3);
  if (!call.ok()) return nullptr;
  if (place.wrong != 0) return call.error(place.wrong);
  const int fd = create_or_open(call.addon(), place, static_cast<uint64_t>(flags), static_cast<uint64_t>(mode) & 07777);
  if (fd < 0 || fs_look(call.addon(), fd, "") == 0) return call.result(fd);
  const int error = errno;
  ::close(fd);
  return call.error(error);
}

// (folder, name, mode, major, minor)
napi_value make_node(napi_env env, napi_callback_info info) {
  FsCall call(env, info);
  const FsPlace place(call, 0);
  const int mode = call.integer(2);
  // The kernel's new_encode_dev, as it is on the wire.
  const unsigned device = static_cast<unsigned>(call.integer(3));
  if (!call.ok()) return nullptr;
  if (place.wrong != 0) return call.error(place.wrong);
  const dev_t rdev = makedev((device >> 8) & 0xfff, (device & 0xff) | ((device >> 12) & 0xfff00));
  return call.result(mknodat(place.folder, place.name, static_cast<mode_t>(mode), rdev));
}

// (folder, name, mode)
napi_value make_folder(napi_env env, napi_callback_info info) {
  FsCall call(env, info);
  const FsPlace place(call, 0);
  const int mode = call.integer(2);
  if (!call.ok()) return nullptr;
  if (place.wrong != 0) return call.error(place.wrong);
  return call.result(mkdirat(place.folder, place.name, static_cast<mode_t>(mode)));
}

// (folder, name, target)
napi_value make_symlink(napi_env env, napi_callback_info info) {
  FsCall call(env, info);
  const FsPlace place(call, 0);
  FsName target;
  const char* to = call.name(2, &target);
  if (!call.ok()) return nullptr;
  if (place.wrong != 0) return call.error(place.wrong);
  if (call.too_long()) return call.error(ENAMETOOLONG);
  return call.result(symlinkat(to, place.folder, place.name));
}

// (file, folder, name)
napi_value link_file(napi_env env, napi_callback_info info) {
  FsCall call(env, info);
  const int file = call.integer(0);
  const FsPlace place(call, 1);
  if (!call.ok()) return nullptr;
  if (place.wrong != 0) return call.error(place.wrong);
  char path[32];
  snprintf(path, sizeof path, "/proc/self/fd/%d", file);
  return call.result(linkat(AT_FDCWD, path, place.folder, place.name, AT_SYMLINK_FOLLOW));
}

// (folder, name, flags)
napi_value remove_name(napi_env env, napi_callback_info info) {
  FsCall call(env, info);
  const FsPlace place(call, 0);
  const int flags = call.integer(2);
  if (!call.ok()) return nullptr;
  if (place.wrong != 0) return call.error(place.wrong);
  return call.result(unlinkat(place.folder, place.name, flags));
}

// (folder, name, folder, name, flags)
napi_value rename_file(napi_env env, napi_callback_info info) {
  FsCall call(env, info);
  const FsPlace from(call, 0);
  const FsPlace to(call, 2);
  const int flags = call.integer(4);
  if (!call.ok()) return nullptr;
  if (from.wrong != 0 || to.wrong != 0) return call.error(from.wrong != 0 ? from.wrong : to.wrong);
  return call.result(syscall(SYS_renameat2, from.folder, from.name, to.folder, to.name, static_cast<unsigned>(flags)));
}

// (link, into): the length of its target.
napi_value read_link(napi_env env, napi_callback_info info) {
  FsCall call(env, info);
  const int file = call.integer(0);
  size_t size = 0;
  unsigned char* into = call.bytes(1, &size);
  if (!call.ok()) return nullptr;
  return call.result(readlinkat(file, "", reinterpret_cast<char*>(into), size));
}

// (descriptor, into): the length of the path that the kernel knows it by.
napi_value path_of(napi_env env, napi_callback_info info) {
  FsCall call(env, info);
  const int file = call.integer(0);
  size_t size = 0;
  unsigned char* into = call.bytes(1, &size);
  if (!call.ok()) return nullptr;
  char path[32];
  snprintf(path, sizeof path, "/proc/self/fd/%d", file);
  return call.result(readlink(path, reinterpret_cast<char*>(into), size));
}

}  // namespace

const FsFunction fs_name_functions[] = {
    {"fs_open_folder", open_folder}, {"fs_look", look},           {"fs_find", find},         {"fs_find_path", find_path},
    {"fs_up", go_up},                {"fs_create", create},       {"fs_mknod", make_node},   {"fs_mkdir", make_folder},
    {"fs_symlink", make_symlink},
    {"fs_link", link_file},          {"fs_unlink", remove_name},  {"fs_rename", rename_file}, {"fs_readlink", read_link},
    {"fs_path_of", path_of},         {nullptr, nullptr},
};
