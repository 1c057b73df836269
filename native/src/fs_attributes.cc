// Attributes of files, by descriptors that may be O_PATH.
#include "fs_attributes.h"

#include <fcntl.h>
#include <linux/magic.h>
#include <sys/stat.h>
#include <sys/statfs.h>
#include <sys/statvfs.h>
#include <sys/syscall.h>
#include <sys/sysmacros.h>
#include <sys/xattr.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <cstdio>
#include <cstring>
#include <iterator>
#include <utility>
#include <vector>

#include "fs_call.h"
#include "newer_calls.h"
#include "shared_files.h"
#include "shared_words.h"
#include "unique_fd.h"

namespace {

// A path for calls that take no O_PATH descriptor: a magic link, which leads to the file itself, a symlink's too.
struct MagicLink {
  char path[32];
  explicit MagicLink(int fd) { snprintf(path, sizeof path, "/proc/self/fd/%d", fd); }
};

// 64 bits, low half first.
void put_wide(uint32_t* to, uint64_t value) {
  to[0] = static_cast<uint32_t>(value);
  to[1] = static_cast<uint32_t>(value >> 32);
}

void put_time(uint32_t* to, const struct statx_timestamp& time) {
  put_wide(to, static_cast<uint64_t>(time.tv_sec));
  to[2] = time.tv_nsec;
}

// (): where statx's results are put, as the words below.
napi_value attributes(napi_env env, napi_callback_info info) {
  FsCall call(env, info);
  Addon* addon = call.addon();
  napi_value buffer = nullptr;
  addon->acquire();
  const auto finalize = [](napi_env, void*, void* hint) { static_cast<Addon*>(hint)->release(); };
  if (napi_create_external_arraybuffer(env, addon->attributes, sizeof addon->attributes, finalize, addon, &buffer) != napi_ok) {
    addon->release();
    return nullptr;
  }
  return buffer;
}

// (file): 0, its attributes noted.
napi_value stat_file(napi_env env, napi_callback_info info) {
  FsCall call(env, info);
  const int file = call.integer(0);
  if (!call.ok()) return nullptr;
  return call.result(fs_look(call.addon(), file, ""));
}

// (file, mode)
napi_value change_mode(napi_env env, napi_callback_info info) {
  FsCall call(env, info);
  const int file = call.integer(0);
  const int mode = call.integer(1);
  if (!call.ok()) return nullptr;
  return call.result(chmod(MagicLink(file).path, static_cast<mode_t>(mode) & 07777));
}

// (file, uid, gid); -1 leaves one as it is.
napi_value change_owner(napi_env env, napi_callback_info info) {
  FsCall call(env, info);
  const int file = call.integer(0);
  const int uid = call.integer(1);
  const int gid = call.integer(2);
  if (!call.ok()) return nullptr;
  return call.result(fchownat(file, "", static_cast<uid_t>(uid), static_cast<gid_t>(gid), AT_EMPTY_PATH));
}

// (file, atime seconds, nanoseconds, mtime seconds, nanoseconds), nanoseconds also UTIME_NOW and UTIME_OMIT.
napi_value change_times(napi_env env, napi_callback_info info) {
  FsCall call(env, info);
  const int file = call.integer(0);
  struct timespec times[2];
  for (size_t i = 0; i < 2; i++) {
    times[i].tv_sec = call.wide(1 + 2 * i);
    times[i].tv_nsec = call.integer(2 + 2 * i);
  }
  if (!call.ok()) return nullptr;
  return call.result(utimensat(AT_FDCWD, MagicLink(file).path, times, 0));
}

// (file, size): -EAGAIN while another program holds a lease on the file: truncate(2) would wait for it.
napi_value cut(napi_env env, napi_callback_info info) {
  FsCall call(env, info);
  const int file = call.integer(0);
  const int64_t size = call.wide(1);
  if (!call.ok()) return nullptr;
  const UniqueFd fd(open(MagicLink(file).path, O_WRONLY | O_NONBLOCK | O_CLOEXEC));
  return call.result(fd.open() ? ftruncate(fd.get(), size) : -1);
}

// (open file, size): by what it was opened for, whatever its mode is now.
napi_value cut_open(napi_env env, napi_callback_info info) {
  FsCall call(env, info);
  const int file = call.integer(0);
  const int64_t size = call.wide(1);
  if (!call.ok()) return nullptr;
  return call.result(ftruncate(file, size));
}

// (file, name, value, flags)
napi_value set_xattr(napi_env env, napi_callback_info info) {
  FsCall call(env, info);
  const int file = call.integer(0);
  FsName buffer;
  const char* name = call.name(1, &buffer);
  size_t size = 0;
  const unsigned char* value = call.bytes(2, &size);
  const int flags = call.integer(3);
  if (!call.ok()) return nullptr;
  return call.result(setxattr(MagicLink(file).path, name, value, size, flags));
}

// (file, name, into): its length; that alone when `into` is empty.
napi_value get_xattr(napi_env env, napi_callback_info info) {
  FsCall call(env, info);
  const int file = call.integer(0);
  FsName buffer;
  const char* name = call.name(1, &buffer);
  size_t size = 0;
  unsigned char* into = call.bytes(2, &size);
  if (!call.ok()) return nullptr;
  return call.result(getxattr(MagicLink(file).path, name, into, size));
}

// (file, into): as above, of the list of names, each ended by a NUL.
napi_value list_xattr(napi_env env, napi_callback_info info) {
  FsCall call(env, info);
  const int file = call.integer(0);
  size_t size = 0;
  unsigned char* into = call.bytes(1, &size);
  if (!call.ok()) return nullptr;
  return call.result(listxattr(MagicLink(file).path, reinterpret_cast<char*>(into), size));
}

// (file, name)
napi_value remove_xattr(napi_env env, napi_callback_info info) {
  FsCall call(env, info);
  const int file = call.integer(0);
  FsName buffer;
  const char* name = call.name(1, &buffer);
  if (!call.ok()) return nullptr;
  return call.result(removexattr(MagicLink(file).path, name));
}

// (file, into): statvfs, as ten doubles: blocks, bfree, bavail, files, ffree, bsize, namelen, frsize.
napi_value stat_filesystem(napi_env env, napi_callback_info info) {
  FsCall call(env, info);
  const int file = call.integer(0);
  size_t size = 0;
  unsigned char* into = call.bytes(1, &size);
  if (!call.ok()) return nullptr;
  struct statvfs st;
  if (fstatvfs(file, &st) != 0) return call.error(errno);
  if (size < 8 * sizeof(double)) return call.error(ERANGE);
  const double values[] = {static_cast<double>(st.f_blocks), static_cast<double>(st.f_bfree),   static_cast<double>(st.f_bavail),
                           static_cast<double>(st.f_files),  static_cast<double>(st.f_ffree),   static_cast<double>(st.f_bsize),
                           static_cast<double>(st.f_namemax), static_cast<double>(st.f_frsize)};
  memcpy(into, values, sizeof values);
  return call.result(0);
}

// (devices): pairs of major and minor, in place of those that were given before.
napi_value set_own_devices(napi_env env, napi_callback_info info) {
  FsCall call(env, info);
  size_t size = 0;
  const unsigned char* data = call.bytes(0, &size);
  if (!call.ok()) return nullptr;
  std::vector<uint64_t> devices;
  for (size_t at = 0; at + 2 * sizeof(uint32_t) <= size; at += 2 * sizeof(uint32_t)) {
    uint32_t pair[2];
    memcpy(pair, data + at, sizeof pair);
    devices.push_back(device_key(pair[0], pair[1]));
  }
  call.addon()->own_devices = std::move(devices);
  return call.result(0);
}

// Of linux/stat.h since 6.8, which the headers that this is built with need not have.
constexpr unsigned statx_mount_id_unique = 0x4000;
constexpr size_t statx_mount_id_offset = 0x90;

int stat_name(int folder, const char* name, int flags, unsigned mask, struct statx* into) {
  return call_statx(folder, name, AT_EMPTY_PATH | AT_SYMLINK_NOFOLLOW | AT_NO_AUTOMOUNT | flags, STATX_BASIC_STATS | STATX_BTIME | mask, into);
}

// 0 on kernels that do not tell it.
uint64_t mount_id_of(const struct statx& st) {
  if ((st.stx_mask & statx_mount_id_unique) == 0) return 0;
  uint64_t id = 0;
  memcpy(&id, reinterpret_cast<const unsigned char*>(&st) + statx_mount_id_offset, sizeof id);
  return id;
}

// Whether what lies on the mount `id`, as `name` in `folder` does, is told by this machine's memory, whatever the flags
// of statx are. Not overlayfs: it hands the flags on to what lies underneath.
bool answers_itself(int folder, const char* name, uint64_t id) {
  const UniqueFd named(*name == '\0' ? -1 : openat(folder, name, O_PATH | O_NOFOLLOW | O_CLOEXEC));
  const int file = *name == '\0' ? folder : named.get();
  struct statx st;
  if (file < 0 || stat_name(file, "", AT_STATX_DONT_SYNC, statx_mount_id_unique, &st) != 0 || mount_id_of(st) != id) return false;
  struct statfs about;
  if (fstatfs(file, &about) != 0) return false;
  const auto type = static_cast<uint32_t>(about.f_type);
  return type == TMPFS_MAGIC || type == RAMFS_MAGIC || type == BTRFS_SUPER_MAGIC;
}

// What answers_itself says of the mount, asked once: a second statx of every LOOKUP costs a tenth of it on a tmpfs.
bool known_to_answer_itself(Addon* addon, int folder, const char* name, const struct statx& st) {
  const uint64_t id = mount_id_of(st);
  if (id == 0) return false;
  for (const KnownMount& known : addon->known_mounts)
    if (known.id == id) return known.answers_itself;
  const bool itself = answers_itself(folder, name, id);
  addon->known_mounts[addon->next_known_mount] = {id, itself};
  addon->next_known_mount = (addon->next_known_mount + 1) % std::size(addon->known_mounts);
  return itself;
}

bool is_own(const Addon* addon, const struct statx& st) {
  const uint64_t device = device_key(st.stx_dev_major, st.stx_dev_minor);
  return std::find(addon->own_devices.begin(), addon->own_devices.end(), device) != addon->own_devices.end();
}

void note(Addon* addon, const struct statx& st) {
  uint32_t* const to = addon->attributes;
  put_wide(to + attribute_words::ino, st.stx_ino);
  put_wide(to + attribute_words::size, st.stx_size);
  put_wide(to + attribute_words::blocks, st.stx_blocks);
  to[attribute_words::mode] = st.stx_mode;
  to[attribute_words::nlink] = st.stx_nlink;
  to[attribute_words::uid] = st.stx_uid;
  to[attribute_words::gid] = st.stx_gid;
  // As the kernel's new_encode_dev.
  to[attribute_words::rdev] = (st.stx_rdev_minor & 0xff) | (st.stx_rdev_major << 8) | ((st.stx_rdev_minor & ~0xffu) << 12);
  to[attribute_words::blksize] = st.stx_blksize;
  put_time(to + attribute_words::atime, st.stx_atime);
  put_time(to + attribute_words::mtime, st.stx_mtime);
  put_time(to + attribute_words::ctime, st.stx_ctime);
  put_time(to + attribute_words::btime, st.stx_btime);
  to[attribute_words::dev_major] = st.stx_dev_major;
  to[attribute_words::dev_minor] = st.stx_dev_minor;
  to[attribute_words::mask] = st.stx_mask & ~statx_mount_id_unique;
  to[attribute_words::attributes] = static_cast<uint32_t>(st.stx_attributes);
  to[attribute_words::attributes_mask] = static_cast<uint32_t>(st.stx_attributes_mask);
}

}  // namespace

int fs_look(Addon* addon, int folder, const char* name) {
  struct statx st;
  if (stat_name(folder, name, 0, 0, &st) != 0) return -1;
  note(addon, st);
  return 0;
}

// AT_STATX_DONT_SYNC has FUSE answer from what it has (fuse_update_get_attr in fs/fuse/dir.c), so the device is seen before
// anybody is asked. A filesystem on a block device or in memory does not look at the flag: what it has said is true.
// Others, some of which have servers, are asked once more.
int fs_look_across(Addon* addon, int folder, const char* name) {
  if (addon->own_devices.empty()) return fs_look(addon, folder, name);
  struct statx st;
  if (stat_name(folder, name, AT_STATX_DONT_SYNC, statx_mount_id_unique, &st) != 0) return -1;
  if (is_own(addon, st)) {
    errno = EDEADLK;
    return -1;
  }
  if (st.stx_dev_major == 0 && !known_to_answer_itself(addon, folder, name, st)) return fs_look(addon, folder, name);
  note(addon, st);
  return 0;
}

FileIdentity identity_seen(const Addon* addon) {
  const uint32_t* const words = addon->attributes;
  const auto wide = [words](size_t index) { return static_cast<uint64_t>(words[index + 1]) << 32 | words[index]; };
  return {words[attribute_words::dev_major], words[attribute_words::dev_minor], wide(attribute_words::ino),
          static_cast<int64_t>(wide(attribute_words::btime)), words[attribute_words::btime + 2]};
}

const FsFunction fs_attribute_functions[] = {
    {"fs_attributes", attributes}, {"fs_stat", stat_file},        {"fs_chmod", change_mode},      {"fs_chown", change_owner},
    {"fs_utimens", change_times},  {"fs_truncate", cut},          {"fs_ftruncate", cut_open},     {"fs_setxattr", set_xattr},     {"fs_getxattr", get_xattr},
    {"fs_listxattr", list_xattr},  {"fs_removexattr", remove_xattr}, {"fs_statvfs", stat_filesystem},
    {"fs_set_own_devices", set_own_devices}, {nullptr, nullptr},
};
