#include "mount_context.h"

#include <fcntl.h>
#include <sys/mount.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <cerrno>

#include "unique_fd.h"

#if defined(SYS_fsopen) && defined(SYS_fsconfig) && defined(SYS_fsmount) && defined(SYS_move_mount)

namespace {

// <linux/mount.h>, which cannot be included beside the <sys/mount.h> of glibc 2.36, and which musl has not.
constexpr unsigned kFsopenCloexec = 1;
constexpr unsigned kFsmountCloexec = 1;
constexpr unsigned kMoveMountFromEmptyPath = 0x4;
constexpr unsigned kMoveMountToSymlinks = 0x10;
enum FsconfigCommand : unsigned { kSetFlag = 0, kSetString = 1, kCreate = 6 };
// <sys/mount.h> before glibc 2.34.
constexpr unsigned long kMsNosymfollow = 256;

struct AttributeOfFlag {
  unsigned long flag;
  unsigned attribute;
};
// MOUNT_ATTR_*. What is not here is the superblock's; MS_STRICTATIME is below.
constexpr AttributeOfFlag kAttributes[] = {{MS_RDONLY, 0x1},  {MS_NOSUID, 0x2},   {MS_NODEV, 0x4},
                                           {MS_NOEXEC, 0x8},  {MS_NOATIME, 0x10}, {MS_NODIRATIME, 0x80},
                                           {kMsNosymfollow, 0x200000}};
constexpr unsigned kAttributeStrictatime = 0x20;

unsigned attributes_of(unsigned long flags) {
  // As mount(2) does (path_mount in fs/namespace.c): MS_STRICTATIME overrides MS_NOATIME.
  if ((flags & MS_STRICTATIME) != 0) flags &= ~static_cast<unsigned long>(MS_NOATIME);
  unsigned attributes = (flags & MS_STRICTATIME) != 0 ? kAttributeStrictatime : 0;
  for (const AttributeOfFlag& each : kAttributes) {
    if ((flags & each.flag) != 0) attributes |= each.attribute;
  }
  return attributes;
}

// A filesystem context: what fsopen(2) opens.
class Context {
 public:
  explicit Context(const std::string& type) : fd_(static_cast<int>(syscall(SYS_fsopen, type.c_str(), kFsopenCloexec))) {}

  bool open() const { return fd_.open(); }
  bool set_flag(const char* key) { return configure(kSetFlag, key, nullptr); }
  bool set(const char* key, const std::string& value) { return configure(kSetString, key, value.c_str()); }
  bool set(const std::string& option) {
    const size_t equals = option.find('=');
    return equals == std::string::npos ? set_flag(option.c_str()) : set(option.substr(0, equals).c_str(), option.substr(equals + 1));
  }
  bool create() { return configure(kCreate, nullptr, nullptr); }
  // A mount that is attached nowhere: closing its descriptor ends it.
  UniqueFd mount(unsigned attributes) { return UniqueFd(static_cast<int>(syscall(SYS_fsmount, fd_.get(), kFsmountCloexec, attributes))); }

  // The errors that the kernel noted in the context: each read takes one, `e TEXT` and a newline.
  std::string take_log() {
    std::string log;
    char line[512];
    for (;;) {
      const ssize_t length = ::read(fd_.get(), line, sizeof line);
      if (length <= 0) return log;
      std::string text(line, static_cast<size_t>(length));
      while (!text.empty() && text.back() == '\n') text.pop_back();
      if (text.compare(0, 2, "e ") == 0) log += (log.empty() ? "" : "; ") + text.substr(2);
    }
  }

 private:
  bool configure(FsconfigCommand command, const char* key, const char* value) {
    return syscall(SYS_fsconfig, fd_.get(), command, key, value, 0) == 0;
  }

  UniqueFd fd_;
};

bool configure(Context& context, const ContextMount& mount, const std::string& subtype) {
  if (!subtype.empty() && !context.set("subtype", subtype)) return false;
  if (!context.set("source", mount.source)) return false;
  if ((mount.flags & MS_RDONLY) != 0 && !context.set_flag("ro")) return false;
  if ((mount.flags & MS_SYNCHRONOUS) != 0 && !context.set_flag("sync")) return false;
  if ((mount.flags & MS_DIRSYNC) != 0 && !context.set_flag("dirsync")) return false;
  for (const std::string& option : mount.options) {
    if (!context.set(option)) return false;
  }
  return context.create();
}

bool attach(const UniqueFd& mounted, const std::string& target) {
  return syscall(SYS_move_mount, mounted.get(), "", AT_FDCWD, target.c_str(), kMoveMountFromEmptyPath | kMoveMountToSymlinks) == 0;
}

int fail(Context& context, int error, std::string* log) {
  *log = context.take_log();
  return error;
}

}  // namespace

int mount_by_context(const ContextMount& mount, std::string* log) {
  const size_t dot = mount.type.find('.');
  Context context(mount.type.substr(0, dot));
  if (!context.open()) return errno;
  const std::string subtype = dot == std::string::npos ? "" : mount.type.substr(dot + 1);
  if (!configure(context, mount, subtype)) return fail(context, errno, log);
  const UniqueFd mounted = context.mount(attributes_of(mount.flags));
  if (!mounted.open() || !attach(mounted, mount.target)) return fail(context, errno, log);
  return 0;
}

#else

int mount_by_context(const ContextMount&, std::string*) { return ENOSYS; }

#endif
