#include "detach_at_end.h"

#include <fcntl.h>
#include <sys/mount.h>
#include <unistd.h>

#include <cerrno>
#include <sstream>

#include "arguments.h"
#include "handle.h"
#include "read_file.h"
#include "spawn.h"

namespace {

// A path as /proc/self/mountinfo has it: space, tab, newline and backslash as three octal digits (proc(5)).
std::string escaped(const std::string& path) {
  std::string text;
  for (const char byte : path) {
    if (byte != ' ' && byte != '\t' && byte != '\n' && byte != '\\') {
      text += byte;
      continue;
    }
    const auto value = static_cast<unsigned char>(byte);
    text += {'\\', static_cast<char>('0' + (value >> 6)), static_cast<char>('0' + (value >> 3 & 7)), static_cast<char>('0' + (value & 7))};
  }
  return text;
}

// Whether the topmost mount at the place is the one meant.
bool is_on_top(const MountAtEnd& mount) {
  const std::string place = escaped(mount.mountpoint);
  std::istringstream table(read_file("/proc/self/mountinfo"));
  std::string line;
  std::string topmost;
  while (std::getline(table, line)) {
    std::istringstream fields(line);
    std::string id, parent, device, root, mountpoint;
    fields >> id >> parent >> device >> root >> mountpoint;
    if (mountpoint == place) topmost = device;
  }
  return topmost == mount.device;
}

// The mount of a user who is not root is the helper's to take away.
void detach_by_helper(const std::string& mountpoint) {
  Helper helper;
  helper.program = "fusermount3";
  helper.path = "/usr/local/bin:/usr/bin:/bin";
  helper.timeout_ms = 5000;
  helper.arguments = {"-u", "-q", "-z", "--", mountpoint};
  run_helper(helper);
}

bool write_abort(const std::string& file) {
  const UniqueFd fd(open(file.c_str(), O_WRONLY | O_CLOEXEC));
  return fd.open() && write(fd.get(), "1", 1) == 1;
}

}  // namespace

// (device, mountpoint, `MAJOR:MINOR`, abort file): has the mount go when this environment ends with the handle still open.
Napi::Value detach_at_end(const Napi::CallbackInfo& info) {
  Handle* handle = unwrap_handle(Addon::of(info.Env()), info[0]);
  if (handle == nullptr) return {};
  auto mount = std::make_unique<MountAtEnd>();
  if (!read_string(info, 1, "mountpoint", &mount->mountpoint) || !read_string(info, 2, "device", &mount->device)) return {};
  if (!read_string(info, 3, "file", &mount->abort_file)) return {};
  if (!handle->fd.open()) return Napi::Number::New(info.Env(), -EBADF);
  handle->at_end = std::move(mount);
  return Napi::Number::New(info.Env(), 0);
}

void detach_now(Handle* handle) {
  const std::unique_ptr<MountAtEnd> mount = std::move(handle->at_end);
  if (mount == nullptr) return;
  // A connection that is over may have left its number to another one. Without fusectl it ends with its last descriptor.
  if (is_connected(handle) && !write_abort(mount->abort_file)) handle->fd.reset(-1);
  if (mount->mountpoint.empty() || !is_on_top(*mount)) return;
  if (umount2(mount->mountpoint.c_str(), UMOUNT_NOFOLLOW | MNT_DETACH) != 0 && errno == EPERM) detach_by_helper(mount->mountpoint);
}
