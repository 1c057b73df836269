#include "fs_call.h"

#include <cerrno>
#include <cstring>

#include "arguments.h"

FsCall::FsCall(napi_env env, napi_callback_info info)
    : FsCall(env, info, [](void* data) { return static_cast<Addon*>(data); }) {}

FsCall::FsCall(napi_env env, napi_callback_info info, Addon* (*addon_of)(void* data)) : env_(env) {
  ok_ = napi_get_cb_info(env, info, &argc_, argv_, nullptr, &data_) == napi_ok;
  addon_ = addon_of(data_);
}

void FsCall::refuse(const char* message) {
  if (ok_) napi_throw_type_error(env_, nullptr, message);
  ok_ = false;
}

int FsCall::integer(size_t index) {
  double number = 0;
  if (!ok_) return 0;
  if (napi_get_value_double(env_, argv_[index], &number) != napi_ok || !(number >= INT32_MIN && number <= UINT32_MAX)) {
    refuse("expected a 32-bit integer");
    return 0;
  }
  return static_cast<int>(static_cast<int64_t>(number));
}

int64_t FsCall::wide(size_t index) {
  int64_t number = 0;
  bool exact = true;
  if (!ok_) return 0;
  if (napi_get_value_int64(env_, argv_[index], &number) != napi_ok && napi_get_value_bigint_int64(env_, argv_[index], &number, &exact) != napi_ok) {
    refuse("expected a 64-bit integer");
  }
  // Beyond 2^63 no file has a byte: a number that every system call refuses, as it does not -1 (pwritev2(2)).
  if (!exact) return INT64_MIN;
  return number;
}

const char* FsCall::name(size_t index, FsName* into) {
  if (!ok_) return "";
  size_t length = 0;
  // Nearly every name is a string: what it is turns out by asking for it.
  if (napi_get_value_string_utf8(env_, argv_[index], into->text, sizeof into->text, &length) == napi_ok) {
    too_long_ = too_long_ || length >= PATH_MAX;
  } else {
    void* data = nullptr;
    if (!bytes_of(env_, argv_[index], &data, &length)) {
      ok_ = false;
      return "";
    }
    if (length >= PATH_MAX) {
      too_long_ = true;
      length = PATH_MAX - 1;
    }
    if (length > 0) memcpy(into->text, data, length);
    into->text[length] = '\0';
  }
  if (memchr(into->text, '\0', length) != nullptr) refuse("a name holds a NUL");
  return into->text;
}

unsigned char* FsCall::bytes(size_t index, size_t* size) {
  void* data = nullptr;
  *size = 0;
  if (ok_ && !bytes_of(env_, argv_[index], &data, size)) ok_ = false;
  return static_cast<unsigned char*>(data);
}

napi_value FsCall::error(int number) {
  napi_value value = nullptr;
  napi_create_int32(env_, -number, &value);
  return value;
}

napi_value FsCall::result(int64_t value) {
  if (!ok_) return nullptr;
  if (value < 0) return error(errno);
  napi_value number = nullptr;
  // Most are small, and a double cannot hold them all.
  if (value <= INT32_MAX) napi_create_int32(env_, static_cast<int32_t>(value), &number);
  else if (value <= (int64_t{1} << 53)) napi_create_int64(env_, value, &number);
  else napi_create_bigint_int64(env_, value, &number);
  return number;
}
