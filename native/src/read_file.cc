#include "read_file.h"

#include <fcntl.h>
#include <unistd.h>

#include "unique_fd.h"

std::string read_file(const std::string& path) {
  const UniqueFd fd(open(path.c_str(), O_RDONLY | O_CLOEXEC));
  std::string text;
  if (!fd.open()) return text;
  char buffer[4096];
  for (ssize_t count = 0; (count = read(fd.get(), buffer, sizeof buffer)) > 0;) text.append(buffer, static_cast<size_t>(count));
  return text;
}
