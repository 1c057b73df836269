// A name of one component in a folder, as an argument of a call.
#pragma once

#include <cerrno>
#include <cstring>

#include "fs_call.h"

struct FsPlace {
  FsName buffer;
  int folder = -1;
  const char* name = "";
  // The errno that it is answered with otherwise.
  int wrong = 0;

  FsPlace(FsCall& call, size_t index) : folder(call.integer(index)), name(call.name(index + 1, &buffer)) {
    if (call.too_long()) wrong = ENAMETOOLONG;
    else if (call.ok() && !leads_down(name)) wrong = EINVAL;
  }

 private:
  // Whether a name is one component that leads down.
  static bool leads_down(const char* name) {
    const bool dots = name[0] == '.' && (name[1] == '\0' || (name[1] == '.' && name[2] == '\0'));
    return name[0] != '\0' && !dots && strchr(name, '/') == nullptr;
  }
};
