#include "arguments.h"

namespace {

bool refuse(napi_env env, const std::string& message) {
  napi_throw_type_error(env, nullptr, message.c_str());
  return false;
}

size_t element_size(napi_typedarray_type type) {
  switch (type) {
    case napi_int16_array:
    case napi_uint16_array:
      return 2;
    case napi_int32_array:
    case napi_uint32_array:
    case napi_float32_array:
      return 4;
    case napi_float64_array:
    case napi_bigint64_array:
    case napi_biguint64_array:
      return 8;
    default:
      return 1;
  }
}

bool string_of(Napi::Value value, const char* name, std::string* into) {
  if (!value.IsString()) return refuse(value.Env(), std::string("expected ") + name + " to be a string");
  *into = value.As<Napi::String>().Utf8Value();
  if (into->find('\0') != std::string::npos) return refuse(value.Env(), std::string("expected ") + name + " to hold no NUL byte");
  return true;
}

}  // namespace

bool bytes_of(napi_env env, napi_value value, void** data, size_t* size) {
  napi_typedarray_type type;
  size_t length = 0;
  if (napi_get_typedarray_info(env, value, &type, &length, data, nullptr, nullptr) == napi_ok) {
    *size = length * element_size(type);
    return true;
  }
  if (napi_get_dataview_info(env, value, size, data, nullptr, nullptr) == napi_ok) return true;
  return refuse(env, "expected a Uint8Array");
}

bool read_uint32(const Napi::CallbackInfo& info, size_t index, const char* name, uint32_t* into) {
  if (info[index].IsNumber()) {
    const double number = info[index].As<Napi::Number>().DoubleValue();
    if (number >= 0 && number <= 4294967295.0 && number == static_cast<double>(static_cast<uint32_t>(number))) {
      *into = static_cast<uint32_t>(number);
      return true;
    }
  }
  return refuse(info.Env(), std::string("expected ") + name + " to be an unsigned 32-bit integer");
}

bool read_string(const Napi::CallbackInfo& info, size_t index, const char* name, std::string* into) {
  return string_of(info[index], name, into);
}

bool read_strings(const Napi::CallbackInfo& info, size_t index, const char* name, std::vector<std::string>* into) {
  if (!info[index].IsArray()) return refuse(info.Env(), std::string("expected ") + name + " to be an array");
  const Napi::Array array = info[index].As<Napi::Array>();
  const uint32_t length = array.Length();
  into->resize(length);
  for (uint32_t i = 0; i < length; ++i) {
    if (!string_of(array.Get(i), name, &(*into)[i])) return false;
  }
  return true;
}
