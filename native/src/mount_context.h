// Mounting by fsopen(2), fsconfig(2), fsmount(2) and move_mount(2) (Linux 5.2; FUSE takes part since 5.4).
#pragma once

#include <string>
#include <vector>

struct ContextMount {
  std::string source;
  std::string target;
  // As mount(2) takes it: `TYPE` or `TYPE.SUBTYPE`.
  std::string type;
  // MS_*, as mount(2) takes them.
  unsigned long flags = 0;
  // `KEY` or `KEY=VALUE`. The value goes to the kernel as it is: no quotes, and commas are nothing special.
  std::vector<std::string> options;
};

// Returns 0 or an errno. On failure nothing is left mounted or open, and `log` has what the kernel said of it, without a
// newline at its end; it is empty when the kernel said nothing.
int mount_by_context(const ContextMount& mount, std::string* log);
