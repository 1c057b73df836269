// What a thread of this process that sleeps in a system call has called: by /proc/self/task/TID/syscall and the
// memory that its arguments point to. Nothing here asks a filesystem anything, so that none can make it wait.
#pragma once

#include <sys/types.h>

#include <string>

enum class CallPlace {
  // On the mount that was asked about.
  here,
  // On another FUSE mount.
  elsewhere,
  unknown,
};

struct BlockedCall {
  CallPlace place = CallPlace::unknown;
  // For people: `openat of /mnt/file`; empty when the call is not known.
  std::string description;
};

// The system call that `thread` sleeps in, and whether it is on the mount of `device` (`MAJOR:MINOR`).
BlockedCall find_blocked_call(pid_t thread, const std::string& device);
