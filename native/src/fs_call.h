// A call from JavaScript that is one system call on files: its arguments, and its result. What is of the
// wrong type leaves a TypeError pending, and the system call is not made.
#pragma once

#include <limits.h>

#include "addon.h"

// A path or a name, as a C string.
struct FsName {
  // What is too long is told from what fits even if a character of several bytes was cut off.
  char text[PATH_MAX + 8];
};

class FsCall {
 public:
  FsCall(napi_env env, napi_callback_info info);
  // Of a function whose data is not the addon, but tells it.
  FsCall(napi_env env, napi_callback_info info, Addon* (*addon_of)(void* data));

  bool ok() const { return ok_; }
  Addon* addon() const { return addon_; }
  // What the function was made with.
  void* data() const { return data_; }
  napi_value argument(size_t index) const { return argv_[index]; }
  napi_env env() const { return env_; }

  // A descriptor, flags, a mode, an id: 32 bits, signed or not.
  int integer(size_t index);
  // An offset or a length: a number or a bigint of 64 bits, signed or not.
  int64_t wide(size_t index);
  // A string or the bytes of one, without NUL; empty only where that is allowed. ENAMETOOLONG is told by tooLong().
  const char* name(size_t index, FsName* into);
  bool too_long() const { return too_long_; }
  // Memory of a typed array.
  unsigned char* bytes(size_t index, size_t* size);

  // What JavaScript is given: the number, or the negative errno when it is negative.
  napi_value result(int64_t value);
  napi_value error(int number);

 private:
  void refuse(const char* message);

  static constexpr size_t most = 8;
  napi_env env_;
  napi_value argv_[most];
  size_t argc_ = most;
  void* data_ = nullptr;
  Addon* addon_ = nullptr;
  bool ok_ = true;
  bool too_long_ = false;
};

// The functions, added to the exports; each is told of where it is written.
struct FsFunction {
  const char* name;
  napi_callback function;
};

extern const FsFunction fs_name_functions[];
extern const FsFunction fs_attribute_functions[];
extern const FsFunction fs_data_functions[];
extern const FsFunction fs_handle_functions[];
extern const FsFunction fs_caller_functions[];
