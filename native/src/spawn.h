// Runs a helper program to its end, with a deadline, its output captured.
#pragma once

#include <string>
#include <vector>

#include "unique_fd.h"

struct Helper {
  // A path, or a name to be looked up in PATH.
  std::string program;
  std::vector<std::string> arguments;
  // PATH for the helper; with `socket_variable`, if any, its whole environment.
  std::string path;
  // Named in the helper's environment: the number of its end of a socket pair.
  const char* socket_variable = nullptr;
  uint32_t timeout_ms = 0;
};

// What came over the socket: nothing, at least one descriptor, or bytes with no descriptor among them.
enum class Sent { nothing, descriptor, bytes };

struct HelperOutcome {
  // 0, or the positive errno of what could not be done, and its name. ETIMEDOUT: killed after the deadline.
  int error = 0;
  const char* syscall = "";
  // From wait(2), when `error` is 0.
  int exit_code = -1;
  int signal = 0;
  // Standard output and error together; the first 8 KiB.
  std::string output;
  Sent sent = Sent::nothing;
  // The first descriptor received over the socket.
  UniqueFd received;
};

HelperOutcome run_helper(const Helper& helper);
