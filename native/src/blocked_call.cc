#include "blocked_call.h"

#include <fcntl.h>
#include <limits.h>
#include <sys/syscall.h>
#include <sys/uio.h>
#include <unistd.h>

#include <cinttypes>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <vector>

#include "read_file.h"

namespace {

// Which arguments of a system call name a file.
enum class Names {
  descriptor,             // the first is a descriptor
  two_descriptors,        // the first and the third are
  path,                   // the first is a path
  two_paths,              // the first and the second are
  path_at,                // the first is a directory's descriptor, the second a path
  two_paths_at,           // likewise, and the third and the fourth
  path_after_target_at,   // symlinkat: the second and the third
};

struct Known {
  long number;
  const char* name;
  Names names;
};

constexpr Known known_calls[] = {
    {SYS_read, "read", Names::descriptor},
    {SYS_write, "write", Names::descriptor},
    {SYS_pread64, "pread", Names::descriptor},
    {SYS_pwrite64, "pwrite", Names::descriptor},
    {SYS_readv, "readv", Names::descriptor},
    {SYS_writev, "writev", Names::descriptor},
    {SYS_preadv, "preadv", Names::descriptor},
    {SYS_pwritev, "pwritev", Names::descriptor},
    {SYS_preadv2, "preadv2", Names::descriptor},
    {SYS_pwritev2, "pwritev2", Names::descriptor},
    {SYS_lseek, "lseek", Names::descriptor},
    {SYS_fsync, "fsync", Names::descriptor},
    {SYS_fdatasync, "fdatasync", Names::descriptor},
    {SYS_syncfs, "syncfs", Names::descriptor},
    {SYS_ftruncate, "ftruncate", Names::descriptor},
    {SYS_fallocate, "fallocate", Names::descriptor},
    {SYS_getdents64, "getdents64", Names::descriptor},
    {SYS_fstat, "fstat", Names::descriptor},
    {SYS_fstatfs, "fstatfs", Names::descriptor},
    {SYS_fchmod, "fchmod", Names::descriptor},
    {SYS_fchown, "fchown", Names::descriptor},
    {SYS_fchdir, "fchdir", Names::descriptor},
    {SYS_flock, "flock", Names::descriptor},
    {SYS_fcntl, "fcntl", Names::descriptor},
    {SYS_ioctl, "ioctl", Names::descriptor},
    {SYS_fgetxattr, "fgetxattr", Names::descriptor},
    {SYS_fsetxattr, "fsetxattr", Names::descriptor},
    {SYS_flistxattr, "flistxattr", Names::descriptor},
    {SYS_fremovexattr, "fremovexattr", Names::descriptor},
    {SYS_copy_file_range, "copy_file_range", Names::two_descriptors},
    {SYS_chdir, "chdir", Names::path},
    {SYS_truncate, "truncate", Names::path},
    {SYS_statfs, "statfs", Names::path},
    {SYS_getxattr, "getxattr", Names::path},
    {SYS_lgetxattr, "lgetxattr", Names::path},
    {SYS_setxattr, "setxattr", Names::path},
    {SYS_lsetxattr, "lsetxattr", Names::path},
    {SYS_listxattr, "listxattr", Names::path},
    {SYS_llistxattr, "llistxattr", Names::path},
    {SYS_removexattr, "removexattr", Names::path},
    {SYS_lremovexattr, "lremovexattr", Names::path},
    {SYS_execve, "execve", Names::path},
    {SYS_openat, "openat", Names::path_at},
    {SYS_openat2, "openat2", Names::path_at},
    {SYS_newfstatat, "fstatat", Names::path_at},
    {SYS_statx, "statx", Names::path_at},
    {SYS_faccessat, "faccessat", Names::path_at},
    {SYS_faccessat2, "faccessat2", Names::path_at},
    {SYS_readlinkat, "readlinkat", Names::path_at},
    {SYS_mkdirat, "mkdirat", Names::path_at},
    {SYS_mknodat, "mknodat", Names::path_at},
    {SYS_unlinkat, "unlinkat", Names::path_at},
    {SYS_fchmodat, "fchmodat", Names::path_at},
    {SYS_fchownat, "fchownat", Names::path_at},
    {SYS_utimensat, "utimensat", Names::path_at},
    {SYS_linkat, "linkat", Names::two_paths_at},
    {SYS_renameat, "renameat", Names::two_paths_at},
    {SYS_renameat2, "renameat2", Names::two_paths_at},
    {SYS_symlinkat, "symlinkat", Names::path_after_target_at},
#ifdef SYS_open
    // Absent from newer architectures, as arm64.
    {SYS_open, "open", Names::path},
    {SYS_stat, "stat", Names::path},
    {SYS_lstat, "lstat", Names::path},
    {SYS_access, "access", Names::path},
    {SYS_readlink, "readlink", Names::path},
    {SYS_mkdir, "mkdir", Names::path},
    {SYS_rmdir, "rmdir", Names::path},
    {SYS_unlink, "unlink", Names::path},
    {SYS_chmod, "chmod", Names::path},
    {SYS_chown, "chown", Names::path},
    {SYS_lchown, "lchown", Names::path},
    {SYS_creat, "creat", Names::path},
    {SYS_utimes, "utimes", Names::path},
    {SYS_link, "link", Names::two_paths},
    {SYS_rename, "rename", Names::two_paths},
    {SYS_symlink, "symlink", Names::two_paths},
#endif
};

const Known* find_known(long number) {
  for (const Known& known : known_calls) {
    if (known.number == number) return &known;
  }
  return nullptr;
}

std::string read_link(const std::string& path) {
  char target[PATH_MAX];
  const ssize_t length = readlink(path.c_str(), target, sizeof target);
  return length > 0 ? std::string(target, static_cast<size_t>(length)) : std::string();
}

// A path in this process's memory; empty when there is none that can be read.
std::string string_at(uint64_t address) {
  char text[PATH_MAX];
  size_t length = 0;
  const size_t page = static_cast<size_t>(sysconf(_SC_PAGESIZE));
  // By the page: what follows a string may not be readable.
  while (length < sizeof text) {
    const size_t left = page - static_cast<size_t>((address + length) % page);
    const size_t wanted = left < sizeof text - length ? left : sizeof text - length;
    const struct iovec to = {text + length, wanted};
    const struct iovec from = {reinterpret_cast<void*>(static_cast<uintptr_t>(address + length)), wanted};
    if (process_vm_readv(getpid(), &to, 1, &from, 1, 0) != static_cast<ssize_t>(wanted)) return {};
    const void* end = memchr(text + length, '\0', wanted);
    if (end != nullptr) return std::string(text, static_cast<size_t>(static_cast<const char*>(end) - text));
    length += wanted;
  }
  return {};
}

std::string descriptor_link(int fd) { return fd == AT_FDCWD ? "/proc/self/cwd" : "/proc/self/fd/" + std::to_string(fd); }

// Without `.`, `..` and empty components, as text: symlinks are not followed, which could wait.
std::string normal(const std::string& path) {
  std::vector<std::string> parts;
  for (size_t at = 0; at < path.size();) {
    const size_t slash = path.find('/', at);
    const size_t end = slash == std::string::npos ? path.size() : slash;
    const std::string part = path.substr(at, end - at);
    if (part == "..") {
      if (!parts.empty()) parts.pop_back();
    } else if (!part.empty() && part != ".") {
      parts.push_back(part);
    }
    at = end + 1;
  }
  std::string whole;
  for (const std::string& part : parts) whole += "/" + part;
  return whole.empty() ? "/" : whole;
}

// An absolute path; empty when it is not known.
std::string absolute(int folder, const std::string& path) {
  std::string whole = path;
  if (path.empty() || path[0] != '/') {
    const std::string base = read_link(descriptor_link(folder));
    if (base.empty() || base[0] != '/') return {};
    whole = path.empty() ? base : base + "/" + path;
  }
  constexpr char descriptors[] = "/proc/self/fd/";
  if (whole.compare(0, sizeof descriptors - 1, descriptors) != 0) return normal(whole);
  const size_t slash = whole.find('/', sizeof descriptors - 1);
  const std::string base = read_link(whole.substr(0, slash));
  if (base.empty() || base[0] != '/') return {};
  return normal(slash == std::string::npos ? base : base + whole.substr(slash));
}

struct MountLine {
  int id = 0;
  std::string device;
  std::string mountpoint;
  bool fuse = false;
};

// Space, tab, newline and backslash are written as three octal digits.
std::string unescape(const std::string& field) {
  std::string text;
  for (size_t i = 0; i < field.size(); i++) {
    if (field[i] == '\\' && i + 3 < field.size()) {
      text += static_cast<char>(strtol(field.substr(i + 1, 3).c_str(), nullptr, 8));
      i += 3;
    } else {
      text += field[i];
    }
  }
  return text;
}

std::vector<std::string> split(const std::string& text, char at) {
  std::vector<std::string> parts;
  for (size_t begin = 0; begin <= text.size();) {
    const size_t found = text.find(at, begin);
    const size_t end = found == std::string::npos ? text.size() : found;
    parts.push_back(text.substr(begin, end - begin));
    begin = end + 1;
  }
  return parts;
}

// /proc/self/mountinfo (proc(5)).
std::vector<MountLine> mount_lines() {
  std::vector<MountLine> lines;
  for (const std::string& text : split(read_file("/proc/self/mountinfo"), '\n')) {
    const std::vector<std::string> fields = split(text, ' ');
    if (fields.size() < 10) continue;
    MountLine line;
    line.id = atoi(fields[0].c_str());
    line.device = fields[2];
    line.mountpoint = unescape(fields[4]);
    for (size_t i = 6; i + 1 < fields.size(); i++) {
      if (fields[i] != "-") continue;
      line.fuse = fields[i + 1].compare(0, 4, "fuse") == 0 || fields[i + 1] == "virtiofs";
      break;
    }
    lines.push_back(line);
  }
  return lines;
}

// The mount that an absolute path lies on.
const MountLine* mount_of_path(const std::vector<MountLine>& lines, const std::string& path) {
  const MountLine* found = nullptr;
  for (const MountLine& line : lines) {
    const std::string& at = line.mountpoint;
    const bool within = at == "/" || path == at || (path.compare(0, at.size(), at) == 0 && path[at.size()] == '/');
    // Of two at one place the later lies on top.
    if (within && (found == nullptr || at.size() >= found->mountpoint.size())) found = &line;
  }
  return found;
}

const MountLine* mount_of_descriptor(const std::vector<MountLine>& lines, int fd) {
  const std::string info = read_file("/proc/self/fdinfo/" + std::to_string(fd));
  const size_t at = info.find("mnt_id:");
  if (at == std::string::npos) return nullptr;
  const int id = atoi(info.c_str() + at + strlen("mnt_id:"));
  for (const MountLine& line : lines) {
    if (line.id == id) return &line;
  }
  return nullptr;
}

CallPlace place_of(const MountLine* line, const std::string& device) {
  if (line == nullptr || !line->fuse) return CallPlace::unknown;
  return line->device == device ? CallPlace::here : CallPlace::elsewhere;
}

// The system call's number and its six arguments; false while the thread runs.
bool read_arguments(pid_t thread, long* number, uint64_t (&arguments)[6]) {
  const std::string text = read_file("/proc/self/task/" + std::to_string(thread) + "/syscall");
  return sscanf(text.c_str(), "%ld %" SCNx64 " %" SCNx64 " %" SCNx64 " %" SCNx64 " %" SCNx64 " %" SCNx64, number, &arguments[0],
                &arguments[1], &arguments[2], &arguments[3], &arguments[4], &arguments[5]) == 7;
}

class Judge {
 public:
  explicit Judge(const std::string& device) : device_(device), lines_(mount_lines()) {}

  void descriptor(uint64_t argument) {
    const int fd = static_cast<int>(argument);
    add(read_link(descriptor_link(fd)), place_of(mount_of_descriptor(lines_, fd), device_));
  }

  void path(int folder, uint64_t argument) {
    const std::string text = string_at(argument);
    const std::string whole = absolute(folder, text);
    if (whole.empty()) return;
    // The descriptor itself tells more than its path: others may lie on top by now.
    if (text.empty() && folder != AT_FDCWD) add(whole, place_of(mount_of_descriptor(lines_, folder), device_));
    else add(whole, place_of(mount_of_path(lines_, whole), device_));
  }

  BlockedCall result(const char* name) const {
    BlockedCall call;
    call.place = place_;
    call.description = std::string(name) + (files_.empty() ? "" : " of " + files_);
    return call;
  }

 private:
  void add(const std::string& file, CallPlace place) {
    if (!file.empty()) files_ += (files_.empty() ? "" : " and ") + file;
    if (place == CallPlace::here || place_ == CallPlace::unknown) place_ = place;
  }

  const std::string& device_;
  std::vector<MountLine> lines_;
  CallPlace place_ = CallPlace::unknown;
  std::string files_;
};

}  // namespace

BlockedCall find_blocked_call(pid_t thread, const std::string& device) {
  long number = -1;
  uint64_t arguments[6] = {};
  if (!read_arguments(thread, &number, arguments)) return {};
  const Known* known = find_known(number);
  if (known == nullptr) return {};
  Judge judge(device);
  const int folder = static_cast<int>(arguments[0]);
  switch (known->names) {
    case Names::two_descriptors:
      judge.descriptor(arguments[2]);
      [[fallthrough]];
    case Names::descriptor:
      judge.descriptor(arguments[0]);
      break;
    case Names::two_paths:
      judge.path(AT_FDCWD, arguments[1]);
      [[fallthrough]];
    case Names::path:
      judge.path(AT_FDCWD, arguments[0]);
      break;
    case Names::two_paths_at:
      judge.path(static_cast<int>(arguments[2]), arguments[3]);
      [[fallthrough]];
    case Names::path_at:
      judge.path(folder, arguments[1]);
      break;
    case Names::path_after_target_at:
      judge.path(static_cast<int>(arguments[1]), arguments[2]);
      break;
  }
  return judge.result(known->name);
}
