// Arguments from JavaScript; each function leaves a TypeError pending when it returns false.
#pragma once

#include <napi.h>

#include <string>
#include <vector>

// The bytes of a typed array or DataView.
bool bytes_of(napi_env env, napi_value value, void** data, size_t* size);

bool read_uint32(const Napi::CallbackInfo& info, size_t index, const char* name, uint32_t* into);

// A string without NUL bytes, as a C string must be.
bool read_string(const Napi::CallbackInfo& info, size_t index, const char* name, std::string* into);

// An array of such strings.
bool read_strings(const Napi::CallbackInfo& info, size_t index, const char* name, std::vector<std::string>* into);
